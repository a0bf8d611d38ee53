// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The class Future of concurrent.futures. Names, messages and order are those of CPython's Lib/concurrent/futures/_base.py.
//
// The GIL is the lock of all futures: nothing comes between the look at a state and the next one. What is to be told to
// callbacks, and to who waits for several futures, is Python.

#include "py/runtime.h"

#include "class.h"
#include "future.h"
#include "notice.h"
#include "queue.h"

typedef enum {
    PENDING,
    RUNNING,
    CANCELLED, // from here on it has ended
    CANCELLED_AND_NOTIFIED,
    FINISHED,
} state_t;

static const uint16_t state_names[] = {
    MP_QSTR_PENDING,
    MP_QSTR_RUNNING,
    MP_QSTR_CANCELLED,
    MP_QSTR_CANCELLED_AND_NOTIFIED,
    MP_QSTR_FINISHED,
};

// What a Future has beside its attributes. Two GC blocks, on 32-bit chips 32 bytes.
typedef struct _future_t {
    mp_obj_base_t base;
    uint8_t state;
    bool ended;
    bool has_call; // the next two are a function and its arguments, until the call begins
    mp_obj_t exception;
    mp_obj_t result;
    mp_obj_t waiters; // a tuple
    mp_obj_t callbacks; // a list, or MP_OBJ_NULL
    line_t line;
} future_t;

#define FUTURE MP_STATE_VM(future_class)

MP_REGISTER_ROOT_POINTER(mp_obj_t future_class);
MP_REGISTER_ROOT_POINTER(mp_obj_t future_variables);

static mp_obj_t variable(qstr name) {
    return class_variable(FUTURE, MP_STATE_VM(future_variables), name);
}

static const MP_DEFINE_CONST_OBJ_TYPE(
    type_future,
    MP_QSTR_Future,
    MP_TYPE_FLAG_NONE,
    make_new, class_make_base
    );

static future_t *future_of(mp_obj_t object) {
    future_t *self = class_base_of(object, &type_future);
    if (self == NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("Future.__init__() not called"));
    }
    return self;
}

static void init(mp_obj_t object, future_t *self) {
    self->base.type = &type_future;
    self->state = PENDING;
    self->ended = false;
    self->has_call = false;
    self->exception = mp_const_none;
    self->result = mp_const_none;
    self->waiters = mp_const_empty_tuple;
    self->callbacks = MP_OBJ_NULL;
    self->line.first = NULL;
    class_set_base(object, self);
}

// A Future with all in one block: three GC blocks, on 32-bit chips 48 bytes.
static mp_obj_t future_new(const mp_obj_type_t *class) {
    struct {
        class_instance_t instance;
        future_t future;
    } *self;
    self = class_malloc(class, sizeof(*self));
    init(MP_OBJ_FROM_PTR(self), &self->future);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t future_init(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    init(args[0], m_new_obj(future_t));
    return mp_const_none;
}
CLASS_METHOD(future_init_obj, FUTURE, future_init, 1, 1);

static mp_obj_t future_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return future_new(type);
}

/******************************************************************************/
// From one state to the next

static void set_state(future_t *self, state_t state) {
    self->state = state;
    self->ended = state >= CANCELLED;
}

static bool was_cancelled(const future_t *self) {
    return self->ended && self->state != FINISHED;
}

static void drop_call(future_t *self) {
    self->has_call = false;
    self->exception = mp_const_none;
    self->result = mp_const_none;
}

static void tell_waiters(mp_obj_t object, const future_t *self) {
    if (self->waiters != mp_const_empty_tuple) {
        mp_call_function_1(variable(MP_QSTR__tell), object);
    }
}

static void call_callbacks(mp_obj_t object, const future_t *self) {
    if (self->callbacks != MP_OBJ_NULL) {
        mp_call_function_1(variable(MP_QSTR__call_all), object);
    }
}

static void finish(mp_obj_t object, future_t *self, mp_obj_t result, mp_obj_t exception) {
    self->has_call = false;
    self->result = result;
    self->exception = exception;
    set_state(self, FINISHED);
    line_notify(&self->line, LINE_ALL);
    tell_waiters(object, self);
    call_callbacks(object, self);
}

static __attribute__((noreturn)) void raise_invalid_state(mp_obj_t object, const future_t *self) {
    vstr_t vstr;
    mp_print_t print;
    vstr_init_print(&vstr, 64, &print);
    mp_printf(&print, "%q: ", state_names[self->state]);
    mp_obj_print_helper(&print, object, PRINT_REPR);
    nlr_raise(mp_call_function_1(variable(MP_QSTR_InvalidStateError), mp_obj_new_str_from_vstr(&vstr)));
}

// set_result(result), set_exception(exception)
static void set(mp_obj_t object, mp_obj_t result, mp_obj_t exception) {
    future_t *self = future_of(object);
    if (self->ended) {
        raise_invalid_state(object, self);
    }
    finish(object, self, result, exception);
}

static mp_obj_t future_set_result(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    set(args[0], args[1], mp_const_none);
    return mp_const_none;
}
CLASS_METHOD(future_set_result_obj, FUTURE, future_set_result, 2, 2);

static mp_obj_t future_set_exception(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    set(args[0], mp_const_none, args[1]);
    return mp_const_none;
}
CLASS_METHOD(future_set_exception_obj, FUTURE, future_set_exception, 2, 2);

static mp_obj_t future_cancel(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    future_t *self = future_of(args[0]);
    if (self->state == PENDING) {
        drop_call(self);
        set_state(self, CANCELLED);
        line_notify(&self->line, LINE_ALL);
        call_callbacks(args[0], self);
    }
    return mp_obj_new_bool(was_cancelled(self));
}
CLASS_METHOD(future_cancel_obj, FUTURE, future_cancel, 1, 1);

// Returns false if it was cancelled.
static bool begin(mp_obj_t object, future_t *self) {
    if (self->state == PENDING) {
        set_state(self, RUNNING);
        return true;
    }
    if (self->state != CANCELLED) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("Future in unexpected state"));
    }
    set_state(self, CANCELLED_AND_NOTIFIED);
    tell_waiters(object, self);
    return false;
}

static mp_obj_t future_set_running_or_notify_cancel(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return mp_obj_new_bool(begin(args[0], future_of(args[0])));
}
CLASS_METHOD(future_set_running_or_notify_cancel_obj, FUTURE, future_set_running_or_notify_cancel, 1, 1);

/******************************************************************************/
// The work of a pool

// _submit(work, function, args): a Future whose _run() makes that call, in the queue of a pool; None after its shutdown().
static mp_obj_t submit(mp_obj_t work, mp_obj_t function, mp_obj_t args) {
    if (!mp_obj_is_type(args, &mp_type_tuple)) {
        mp_raise_TypeError(NULL);
    }
    mp_obj_t object = future_new(MP_OBJ_TO_PTR(FUTURE));
    future_t *self = future_of(object);
    self->has_call = true;
    self->exception = function;
    self->result = args;
    return queue_put_unless_shut_down(work, object) ? object : mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_3(future_submit_obj, submit);

// Make the call. Returns what it raises, or None.
static mp_obj_t call(future_t *self, mp_obj_t *result) {
    *result = mp_const_none;
    mp_obj_t volatile kept[] = { self->exception, self->result }; // alive until the call has ended
    drop_call(self);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return MP_OBJ_FROM_PTR(nlr.ret_val);
    }
    size_t n_args;
    mp_obj_t *args;
    mp_obj_get_array(kept[1], &n_args, &args);
    *result = mp_call_function_n_kw(kept[0], n_args, 0, args);
    nlr_pop();
    return mp_const_none;
}

// _run(task_done): as a worker, which is idle again before anybody has the result.
static mp_obj_t future_run(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    future_t *self = future_of(args[0]);
    if (!begin(args[0], self)) {
        return mp_call_function_0(args[1]);
    }
    mp_obj_t result;
    mp_obj_t exception = call(self, &result);
    mp_call_function_0(args[1]);
    set(args[0], result, exception);
    return mp_const_none;
}
CLASS_METHOD(future_run_obj, FUTURE, future_run, 2, 2);

/******************************************************************************/
// What others ask it

static mp_obj_t future_cancelled(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return mp_obj_new_bool(was_cancelled(future_of(args[0])));
}
CLASS_METHOD(future_cancelled_obj, FUTURE, future_cancelled, 1, 1);

static mp_obj_t future_running(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return mp_obj_new_bool(future_of(args[0])->state == RUNNING);
}
CLASS_METHOD(future_running_obj, FUTURE, future_running, 1, 1);

static mp_obj_t future_done(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return mp_obj_new_bool(future_of(args[0])->ended);
}
CLASS_METHOD(future_done_obj, FUTURE, future_done, 1, 1);

static void wait(mp_obj_t object, future_t *self, deadline_t deadline) {
    if (!self->ended) {
        lock_check_may_wait();
        mp_obj_t exception;
        line_wait(object, &self->line, &self->ended, deadline, &exception);
        if (exception != MP_OBJ_NULL) {
            nlr_raise(exception);
        }
    }
    if (self->state != FINISHED) {
        nlr_raise(mp_make_raise_obj(variable(self->ended ? MP_QSTR_CancelledError : MP_QSTR_TimeoutError)));
    }
}

static future_t *wait_for_end(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_map_t keywords;
    mp_map_init_fixed_table(&keywords, n_kw, args + n_args);
    mp_obj_t timeout = line_timeout(n_args, args, &keywords);
    future_t *self = future_of(args[0]);
    wait(args[0], self, line_deadline(timeout));
    return self;
}

static mp_obj_t future_result(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    future_t *self = wait_for_end(n_args, n_kw, args);
    if (self->exception != mp_const_none) {
        nlr_raise(mp_make_raise_obj(self->exception));
    }
    return self->result;
}
CLASS_METHOD(future_result_obj, FUTURE, future_result, 1, CLASS_KEYWORDS);

static mp_obj_t future_exception(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    return wait_for_end(n_args, n_kw, args)->exception;
}
CLASS_METHOD(future_exception_obj, FUTURE, future_exception, 1, CLASS_KEYWORDS);

static mp_obj_t future_add_done_callback(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    future_t *self = future_of(args[0]);
    if (self->callbacks == MP_OBJ_NULL) {
        self->callbacks = mp_obj_new_list(0, NULL);
    }
    mp_obj_list_append(self->callbacks, args[1]);
    if (self->ended) {
        call_callbacks(args[0], self);
    }
    return mp_const_none;
}
CLASS_METHOD(future_add_done_callback_obj, FUTURE, future_add_done_callback, 2, 2);

static mp_obj_t future_repr(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_args;
    (void)n_kw;
    return mp_call_function_1(variable(MP_QSTR__repr), args[0]);
}
CLASS_METHOD(future_repr_obj, FUTURE, future_repr, 1, 1);

/******************************************************************************/
// Its attributes, for the module's functions and for tests: load, or store

static mp_obj_t future_state(size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)n_kw;
    future_t *self = future_of(args[0]);
    if (n_args == 2) {
        qstr name = mp_obj_str_get_qstr(args[1]);
        state_t state = PENDING;
        while (state_names[state] != name) {
            if (++state == MP_ARRAY_SIZE(state_names)) {
                mp_raise_ValueError(NULL);
            }
        }
        set_state(self, state);
    }
    return MP_OBJ_NEW_QSTR(state_names[self->state]);
}
CLASS_METHOD(future_state_obj, FUTURE, future_state, 1, 2);

static mp_obj_t load_or_store(future_t *self, mp_obj_t *field, size_t n_args, const mp_obj_t *args) {
    if (n_args == 2) {
        *field = args[1];
    }
    bool is_call = self->has_call && (field == &self->result || field == &self->exception);
    return is_call || *field == MP_OBJ_NULL ? mp_const_none : *field;
}

#define FUTURE_ATTRIBUTE(field) \
    static mp_obj_t future_##field##_attribute(size_t n_args, size_t n_kw, const mp_obj_t * args) { \
        (void)n_kw; \
        future_t *self = future_of(args[0]); \
        return load_or_store(self, &self->field, n_args, args); \
    } \
    CLASS_METHOD(future_##field##_attribute_obj, FUTURE, future_##field##_attribute, 1, 2); \
    CLASS_PROPERTY(field##_property, MP_ROM_PTR(&future_##field##_attribute_obj), \
    MP_ROM_PTR(&future_##field##_attribute_obj), MP_ROM_NONE)

FUTURE_ATTRIBUTE(result);
FUTURE_ATTRIBUTE(exception);
FUTURE_ATTRIBUTE(waiters);
FUTURE_ATTRIBUTE(callbacks);
CLASS_PROPERTY(state_property, MP_ROM_PTR(&future_state_obj), MP_ROM_PTR(&future_state_obj), MP_ROM_NONE);

static const mp_rom_map_elem_t future_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_result), MP_ROM_PTR(&future_result_obj) },
    { MP_ROM_QSTR(MP_QSTR__run), MP_ROM_PTR(&future_run_obj) },
    { MP_ROM_QSTR(MP_QSTR_done), MP_ROM_PTR(&future_done_obj) },
    { MP_ROM_QSTR(MP_QSTR_set_result), MP_ROM_PTR(&future_set_result_obj) },
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&future_init_obj) },
    { MP_ROM_QSTR(MP_QSTR___repr__), MP_ROM_PTR(&future_repr_obj) },
    { MP_ROM_QSTR(MP_QSTR_cancel), MP_ROM_PTR(&future_cancel_obj) },
    { MP_ROM_QSTR(MP_QSTR_cancelled), MP_ROM_PTR(&future_cancelled_obj) },
    { MP_ROM_QSTR(MP_QSTR_running), MP_ROM_PTR(&future_running_obj) },
    { MP_ROM_QSTR(MP_QSTR_exception), MP_ROM_PTR(&future_exception_obj) },
    { MP_ROM_QSTR(MP_QSTR_add_done_callback), MP_ROM_PTR(&future_add_done_callback_obj) },
    { MP_ROM_QSTR(MP_QSTR_set_exception), MP_ROM_PTR(&future_set_exception_obj) },
    { MP_ROM_QSTR(MP_QSTR_set_running_or_notify_cancel), MP_ROM_PTR(&future_set_running_or_notify_cancel_obj) },
    { MP_ROM_QSTR(MP_QSTR__state), MP_ROM_PTR(&state_property) },
    { MP_ROM_QSTR(MP_QSTR__result), MP_ROM_PTR(&result_property) },
    { MP_ROM_QSTR(MP_QSTR__exception), MP_ROM_PTR(&exception_property) },
    { MP_ROM_QSTR(MP_QSTR__waiters), MP_ROM_PTR(&waiters_property) },
    { MP_ROM_QSTR(MP_QSTR__callbacks), MP_ROM_PTR(&callbacks_property) },
};
static MP_DEFINE_CONST_DICT(future_dict, future_dict_table);

// There is one such class, however often the module is imported.
static mp_obj_t future_class(mp_obj_t variables) {
    class_check_variables(variables);
    MP_STATE_VM(future_variables) = variables;
    if (FUTURE == MP_OBJ_NULL) {
        FUTURE = class_new(MP_QSTR_Future, &type_future, &future_dict, future_make_new);
    }
    return FUTURE;
}
MP_DEFINE_CONST_FUN_OBJ_1(future_class_obj, future_class);

void future_reset(void) {
    FUTURE = MP_OBJ_NULL;
}
