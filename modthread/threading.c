// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The class Thread of threading, and who lives. Names, messages and order are those of CPython's Lib/threading.py.
//
// Who lives, the list of threads knows. A thread that was started otherwise gets an object when it first asks for its own, which
// goes with the thread's call.

#include "py/runtime.h"

#include "class.h"
#include "gil.h"
#include "handle.h"
#include "notice.h"
#include "threading.h"

// What a Thread has beside its attributes. Four GC blocks, on 32-bit chips 64 bytes.
typedef struct _started_t {
    mp_obj_thread_handle_t handle;
    mp_obj_t name; // or the number of a name that nobody has asked for yet
    mp_obj_t target_name; // which is a part of that, or MP_OBJ_NULL
    mp_obj_t target; // these three until run() has ended
    mp_obj_t args;
    mp_obj_t kwargs;
    mp_obj_t daemon;
    bool dummy; // of a thread that was not started by start()
} started_t;

static uint32_t last_number; // of a name

static mp_obj_t counter(void) {
    return mp_obj_new_int_from_uint(++last_number);
}
MP_DEFINE_CONST_FUN_OBJ_0(threading_counter_obj, counter);

#define THREAD MP_STATE_VM(threading_class)

MP_REGISTER_ROOT_POINTER(mp_obj_t threading_class);
MP_REGISTER_ROOT_POINTER(mp_obj_t threading_variables);

static mp_obj_t variable(qstr name) {
    return class_variable(THREAD, MP_STATE_VM(threading_variables), name);
}

// In descriptions it stands for the end of the thread.
static const MP_DEFINE_CONST_OBJ_TYPE(
    type_started,
    MP_QSTR__ThreadHandle,
    MP_TYPE_FLAG_NONE,
    make_new, class_make_base
    );

static started_t *started_new(void) {
    started_t *self = mp_obj_malloc(started_t, &type_started);
    handle_prepare(&self->handle);
    return self;
}

static started_t *started_or_raise(mp_obj_t thread, mp_rom_error_text_t message) {
    started_t *self = class_base_of(thread, &type_started);
    if (self == NULL) {
        mp_raise_msg(&mp_type_RuntimeError, message);
    }
    return self;
}

static started_t *started_of(mp_obj_t thread) {
    return started_or_raise(thread, MP_ERROR_TEXT("Thread.__init__() not called"));
}

/******************************************************************************/
// Who lives

static mp_obj_t thread_of(const thread_t *thread) {
    return thread->call == NULL ? MP_OBJ_NULL : handle_thread(thread->call->handle);
}

static bool lives(uint32_t ident) {
    thread_t *thread = thread_list;
    while (thread != NULL && thread->ident != ident) {
        thread = thread->next;
    }
    return thread != NULL;
}

static bool is_alive(const started_t *self) {
    return self->dummy ? lives(self->handle.ident) : self->handle.ident != HANDLE_NOT_STARTED && !self->handle.done;
}

static void forget_target(started_t *self) {
    self->target = MP_OBJ_NULL;
    self->args = MP_OBJ_NULL;
    self->kwargs = MP_OBJ_NULL;
}

static void set_started(mp_obj_t thread, started_t *self) {
    self->handle.thread = thread;
    class_set_base(thread, self);
}

// Make the object of a thread that start() has not started.
static mp_obj_t dummy_new(thread_t *thread, mp_obj_t name, mp_obj_t daemon) {
    mp_obj_t object = MP_OBJ_FROM_PTR(class_malloc(MP_OBJ_TO_PTR(THREAD), sizeof(class_instance_t)));
    started_t *self = started_new();
    if (thread->call == NULL) { // the main one
        thread_call_t *call = m_new_obj_var(thread_call_t, args, mp_obj_t, 0);
        *call = (thread_call_t) { .function = mp_const_none, .handle = MP_OBJ_NULL };
        thread->call = call;
    }
    set_started(object, self);
    self->handle.ident = thread->ident;
    self->handle.native_id = (uintptr_t)thread->task;
    forget_target(self);
    self->name = name;
    self->daemon = daemon;
    self->dummy = true;
    if (thread->call->handle == MP_OBJ_NULL) {
        thread->call->handle = MP_OBJ_FROM_PTR(self);
    } else {
        ((mp_obj_thread_handle_t *)MP_OBJ_TO_PTR(thread->call->handle))->thread = object;
    }
    return object;
}

static mp_obj_t next_number(void) {
    return MP_OBJ_NEW_SMALL_INT(mp_obj_get_int(mp_call_function_0(variable(MP_QSTR__counter))));
}

static mp_obj_t numbered(const char *kind, mp_obj_t number, mp_obj_t target) {
    vstr_t vstr;
    mp_print_t print;
    vstr_init_print(&vstr, 16, &print);
    mp_printf(&print, "%s-%d", kind, (int)MP_OBJ_SMALL_INT_VALUE(number));
    if (target != MP_OBJ_NULL) {
        mp_print_str(&print, " (");
        mp_obj_print_helper(&print, target, PRINT_STR);
        mp_print_str(&print, ")");
    }
    return mp_obj_new_str_from_vstr(&vstr);
}

static mp_obj_t current_thread(void) {
    mp_obj_t thread = thread_of(gil_current);
    if (thread == MP_OBJ_NULL) {
        thread = dummy_new(gil_current, numbered("Dummy", next_number(), MP_OBJ_NULL), mp_const_true);
    }
    return thread;
}
MP_DEFINE_CONST_FUN_OBJ_0(threading_current_thread_obj, current_thread);

static mp_obj_t main_thread(void) {
    mp_obj_t thread = thread_of(&thread_main);
    return thread == MP_OBJ_NULL ? dummy_new(&thread_main, MP_OBJ_NEW_QSTR(MP_QSTR_MainThread), mp_const_false) : thread;
}
MP_DEFINE_CONST_FUN_OBJ_0(threading_main_thread_obj, main_thread);

static mp_obj_t enumerate(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        mp_obj_t object = thread_of(thread);
        if (object != MP_OBJ_NULL) {
            mp_obj_list_append(list, object);
        }
    }
    return list;
}
MP_DEFINE_CONST_FUN_OBJ_0(threading_enumerate_obj, enumerate);

/******************************************************************************/
// Thread(group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None)

// What current_thread().daemon says: of one that start() has not started nobody has changed it.
static mp_obj_t inherited_daemon(void) {
    mp_obj_t thread = thread_of(gil_current);
    return thread == MP_OBJ_NULL ? mp_const_true : started_of(thread)->daemon;
}

static mp_obj_t to_str(mp_obj_t object) {
    return mp_obj_is_str(object) ? object : mp_call_function_1(MP_OBJ_FROM_PTR(&mp_type_str), object);
}

static void set_name(started_t *self, mp_obj_t name) {
    self->target_name = MP_OBJ_NULL;
    if (mp_obj_is_true(name)) {
        self->name = to_str(name);
        return;
    }
    self->name = next_number();
    if (self->target != mp_const_none) {
        mp_obj_t found[2];
        mp_load_method_protected(self->target, MP_QSTR___name__, found, false);
        self->target_name = found[0];
    }
}

static void init(mp_obj_t thread, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    enum { ARG_group, ARG_target, ARG_name, ARG_args, ARG_kwargs, ARG_daemon };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_group, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_target, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_name, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_args, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_PTR(&mp_const_empty_tuple_obj) } },
        { MP_QSTR_kwargs, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_daemon, MP_ARG_OBJ | MP_ARG_KW_ONLY, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all_kw_array(n_args, n_kw, args, MP_ARRAY_SIZE(allowed), allowed, parsed);
    if (parsed[ARG_group].u_obj != mp_const_none) {
        mp_raise_msg(&mp_type_AssertionError, MP_ERROR_TEXT("group argument must be None for now"));
    }
    started_t *self = started_new();
    self->target = parsed[ARG_target].u_obj;
    self->args = parsed[ARG_args].u_obj;
    self->kwargs = parsed[ARG_kwargs].u_obj;
    self->daemon = parsed[ARG_daemon].u_obj == mp_const_none ? inherited_daemon() : parsed[ARG_daemon].u_obj;
    set_name(self, parsed[ARG_name].u_obj);
    set_started(thread, self);
}

static mp_obj_t thread_init(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    init(args[0], n_args - 1, n_kw, args + 1);
    return mp_const_none;
}
CLASS_METHOD(thread_init_obj, THREAD, thread_init, 1, CLASS_KEYWORDS);

// Of the class itself: those that inherit from it may have an __init__() of their own.
static mp_obj_t thread_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_obj_t thread = MP_OBJ_FROM_PTR(class_malloc(type, sizeof(class_instance_t)));
    init(thread, n_args, n_kw, args);
    return thread;
}

/******************************************************************************/
// From start() to the end

static mp_obj_t thread_start_method(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    started_t *self = started_or_raise(args[0], MP_ERROR_TEXT("thread.__init__() not called"));
    if (self->handle.ident != HANDLE_NOT_STARTED) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("threads can only be started once"));
    }
    handle_start(&self->handle, args[0]);
    return mp_const_none;
}
CLASS_METHOD(thread_start_obj, THREAD, thread_start_method, 1, 1);

static void call_target(const started_t *self) {
    if (self->target == mp_const_none) {
        return;
    }
    if (self->args == mp_const_empty_tuple && self->kwargs == mp_const_none) {
        mp_call_function_0(self->target);
        return;
    }
    // As in the call target(*args, **kwargs): one positional argument, which is to be unpacked, and one keyword.
    bool keywords = self->kwargs != mp_const_none;
    mp_obj_t call[] = { self->target, self->args, MP_OBJ_NEW_SMALL_INT(1), MP_OBJ_NULL, MP_OBJ_NULL };
    if (keywords) {
        call[2] = MP_OBJ_NULL;
        call[3] = self->kwargs;
        call[4] = MP_OBJ_NEW_SMALL_INT(1);
    }
    mp_call_method_n_kw_var(false, 1 | keywords << 8, call);
}

static mp_obj_t thread_run(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    started_t *self = started_of(args[0]);
    if (self->target == MP_OBJ_NULL || self->args == MP_OBJ_NULL || self->kwargs == MP_OBJ_NULL) {
        mp_raise_type(&mp_type_AttributeError); // run() has ended before
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        forget_target(self);
        nlr_jump(nlr.ret_val);
    }
    call_target(self);
    nlr_pop();
    forget_target(self);
    return mp_const_none;
}
CLASS_METHOD(thread_run_obj, THREAD, thread_run, 1, 1);

void threading_run(mp_obj_t thread) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t run[2];
        mp_load_method(thread, MP_QSTR_run, run);
        mp_call_method_n_kw(0, 0, run);
        nlr_pop();
        return;
    }
    mp_obj_t exception = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (!mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_SystemExit))) {
        mp_call_function_2(variable(MP_QSTR__fail), exception, thread);
    }
}

// join(timeout=None)
static mp_obj_t thread_join(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_map_t keywords;
    mp_map_init_fixed_table(&keywords, n_kw, args + n_args);
    mp_obj_t timeout = line_timeout(n_args, args, &keywords);
    started_t *self = started_of(args[0]);
    if (self->handle.ident == HANDLE_NOT_STARTED) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("cannot join thread before it is started"));
    }
    if (self->handle.ident == gil_current->ident && is_alive(self)) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("cannot join current thread"));
    }
    if (self->dummy) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("cannot join a dummy thread"));
    }
    handle_wait(&self->handle, line_deadline(timeout));
    return mp_const_none;
}
CLASS_METHOD(thread_join_obj, THREAD, thread_join, 1, CLASS_KEYWORDS);

static mp_obj_t thread_is_alive(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return mp_obj_new_bool(is_alive(started_of(args[0])));
}
CLASS_METHOD(thread_is_alive_obj, THREAD, thread_is_alive, 1, 1);

/******************************************************************************/
// Its attributes

static mp_obj_t name_of(started_t *self) {
    if (mp_obj_is_small_int(self->name)) {
        self->name = numbered("Thread", self->name, self->target_name);
    }
    return self->name;
}

static mp_obj_t thread_name(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_kw;
    started_t *self = started_of(args[0]);
    if (n_args == 2) {
        self->name = to_str(args[1]);
    }
    return name_of(self);
}
CLASS_METHOD(thread_name_obj, THREAD, thread_name, 1, 2);

static mp_obj_t thread_daemon(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_kw;
    started_t *self = started_of(args[0]);
    if (n_args == 2) {
        if (self->handle.ident != HANDLE_NOT_STARTED) {
            mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("cannot set daemon status of active thread"));
        }
        self->daemon = args[1];
    }
    return self->daemon;
}
CLASS_METHOD(thread_daemon_obj, THREAD, thread_daemon, 1, 2);

static mp_obj_t number_or_none(uintptr_t number) {
    return number == 0 ? mp_const_none : mp_obj_new_int_from_uint(number);
}

static mp_obj_t thread_ident(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return number_or_none(started_of(args[0])->handle.ident);
}
CLASS_METHOD(thread_ident_obj, THREAD, thread_ident, 1, 1);

static mp_obj_t thread_native_id(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return number_or_none(started_of(args[0])->handle.native_id);
}
CLASS_METHOD(thread_native_id_obj, THREAD, thread_native_id, 1, 1);

// What a run() of one's own uses. To delete one is to store nothing.
static mp_obj_t load(started_t *self, mp_obj_t *field) {
    if (*field == MP_OBJ_NULL) {
        mp_raise_type(&mp_type_AttributeError);
    }
    if (field == &self->kwargs && *field == mp_const_none) {
        *field = mp_obj_new_dict(0);
    }
    return *field;
}

#define THREAD_ATTRIBUTE(field) \
    static mp_obj_t thread_##field(size_t n_args, size_t n_kw, const mp_obj_t * args) { \
        (void)n_args; \
        (void)n_kw; \
        started_t *self = started_of(args[0]); \
        return load(self, &self->field); \
    } \
    static mp_obj_t thread_set_##field(size_t n_args, size_t n_kw, const mp_obj_t * args) { \
        (void)n_kw; \
        started_of(args[0])->field = n_args == 2 ? args[1] : MP_OBJ_NULL; \
        return mp_const_none; \
    } \
    CLASS_METHOD(thread_##field##_obj, THREAD, thread_##field, 1, 1); \
    CLASS_METHOD(thread_set_##field##_obj, THREAD, thread_set_##field, 1, 2); \
    CLASS_PROPERTY(field##_property, MP_ROM_PTR(&thread_##field##_obj), MP_ROM_PTR(&thread_set_##field##_obj), \
    MP_ROM_PTR(&thread_set_##field##_obj))

THREAD_ATTRIBUTE(target);
THREAD_ATTRIBUTE(args);
THREAD_ATTRIBUTE(kwargs);

static mp_obj_t thread_repr(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    started_t *self = started_of(args[0]);
    uint32_t ident = self->handle.ident;
    const char *class = ident == MODTHREAD_MAIN_IDENT ? "_MainThread" : self->dummy ? "_DummyThread" : mp_obj_get_type_str(args[0]);
    const char *status = ident == HANDLE_NOT_STARTED ? "initial" : is_alive(self) ? "started" : "stopped";
    vstr_t vstr;
    mp_print_t print;
    vstr_init_print(&vstr, 32, &print);
    mp_printf(&print, "<%s(%s, %s", class, mp_obj_str_get_str(name_of(self)), status);
    if (mp_obj_is_true(self->daemon)) {
        mp_print_str(&print, " daemon");
    }
    if (ident != HANDLE_NOT_STARTED) {
        mp_printf(&print, " %u", (unsigned)ident);
    }
    mp_print_str(&print, ")>");
    return mp_obj_new_str_from_vstr(&vstr);
}
CLASS_METHOD(thread_repr_obj, THREAD, thread_repr, 1, 1);

/******************************************************************************/
// The class

CLASS_PROPERTY(name_property, MP_ROM_PTR(&thread_name_obj), MP_ROM_PTR(&thread_name_obj), MP_ROM_NONE);
CLASS_PROPERTY(daemon_property, MP_ROM_PTR(&thread_daemon_obj), MP_ROM_PTR(&thread_daemon_obj), MP_ROM_NONE);
CLASS_PROPERTY(ident_property, MP_ROM_PTR(&thread_ident_obj), MP_ROM_NONE, MP_ROM_NONE);
CLASS_PROPERTY(native_id_property, MP_ROM_PTR(&thread_native_id_obj), MP_ROM_NONE, MP_ROM_NONE);

static const mp_rom_map_elem_t thread_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_start), MP_ROM_PTR(&thread_start_obj) },
    { MP_ROM_QSTR(MP_QSTR_join), MP_ROM_PTR(&thread_join_obj) },
    { MP_ROM_QSTR(MP_QSTR_run), MP_ROM_PTR(&thread_run_obj) },
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&thread_init_obj) },
    { MP_ROM_QSTR(MP_QSTR___repr__), MP_ROM_PTR(&thread_repr_obj) },
    { MP_ROM_QSTR(MP_QSTR_is_alive), MP_ROM_PTR(&thread_is_alive_obj) },
    { MP_ROM_QSTR(MP_QSTR_name), MP_ROM_PTR(&name_property) },
    { MP_ROM_QSTR(MP_QSTR_ident), MP_ROM_PTR(&ident_property) },
    { MP_ROM_QSTR(MP_QSTR_native_id), MP_ROM_PTR(&native_id_property) },
    { MP_ROM_QSTR(MP_QSTR_daemon), MP_ROM_PTR(&daemon_property) },
    { MP_ROM_QSTR(MP_QSTR__target), MP_ROM_PTR(&target_property) },
    { MP_ROM_QSTR(MP_QSTR__args), MP_ROM_PTR(&args_property) },
    { MP_ROM_QSTR(MP_QSTR__kwargs), MP_ROM_PTR(&kwargs_property) },
};
static MP_DEFINE_CONST_DICT(thread_dict, thread_dict_table);

// There is one such class, however often threading is imported.
static mp_obj_t threading_class(mp_obj_t variables) {
    class_check_variables(variables);
    MP_STATE_VM(threading_variables) = variables;
    if (THREAD == MP_OBJ_NULL) {
        THREAD = class_new(MP_QSTR_Thread, &type_started, &thread_dict, thread_make_new);
        main_thread(); // makes it one of those that live
    }
    return THREAD;
}
MP_DEFINE_CONST_FUN_OBJ_1(threading_class_obj, threading_class);

void threading_reset(void) {
    THREAD = MP_OBJ_NULL;
    thread_main.call = NULL;
    last_number = 0;
}
