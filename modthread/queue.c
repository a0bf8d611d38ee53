// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The queue: a list, and three lines of threads. Names, messages and order are those of CPython's Lib/queue.py.
//
// The GIL is enough for a queue whose items only this file moves. A class that has methods of its own for it needs a lock
// around them, the mutex, for they may give up the GIL. So does who takes the mutex to look at the items. A queue whose
// mutex nobody has asked for has none.

#include <string.h>

#include "py/objexcept.h"
#include "py/objlist.h"
#include "py/runtime.h"

#include "arguments.h"
#include "kernel.h"
#include "notice.h"
#include "queue.h"

MP_DEFINE_EXCEPTION(Empty, Exception)
MP_DEFINE_EXCEPTION(Full, Exception)
MP_DEFINE_EXCEPTION(ShutDown, Exception)

// Three GC blocks, on 32-bit chips 48 bytes.
typedef struct _mp_obj_thread_queue_t {
    mp_obj_base_t base;
    mp_obj_t hooks; // has _put(), _get() and _qsize() of its own; or None
    mp_obj_t items; // a list
    mp_obj_thread_lock_t *mutex; // or NULL
    mp_int_t maxsize; // without a limit, if not positive
    uint32_t unfinished : 31;
    uint32_t is_shutdown : 1;
    line_t not_empty;
    line_t not_full;
    line_t all_done;
} mp_obj_thread_queue_t;

// What a call asks for.
typedef struct _request_t {
    mp_obj_t item;
    deadline_t deadline;
} request_t;

/******************************************************************************/
// The items

static mp_obj_t call_hook(mp_obj_thread_queue_t *self, qstr name, size_t n_args, mp_obj_t arg) {
    mp_obj_t method[3] = { MP_OBJ_NULL, MP_OBJ_NULL, arg };
    mp_load_method(self->hooks, name, method);
    return mp_call_method_n_kw(n_args, 0, method);
}

static mp_int_t size(mp_obj_thread_queue_t *self) {
    if (self->hooks != mp_const_none) {
        return mp_obj_get_int(call_hook(self, MP_QSTR__qsize, 0, MP_OBJ_NULL));
    }
    return ((mp_obj_list_t *)MP_OBJ_TO_PTR(self->items))->len;
}

static void append(mp_obj_thread_queue_t *self, mp_obj_t item) {
    if (self->hooks != mp_const_none) {
        call_hook(self, MP_QSTR__put, 1, item);
    } else {
        mp_obj_list_append(self->items, item);
    }
}

// The list has become much shorter: give back some memory, as list.pop() does.
static void shrink(mp_obj_list_t *list) {
    if (list->alloc > 4 * list->len && list->alloc > 8) {
        list->items = m_renew(mp_obj_t, list->items, list->alloc, list->alloc / 2);
        list->alloc /= 2;
    }
}

static mp_obj_t pop(mp_obj_thread_queue_t *self) {
    if (self->hooks != mp_const_none) {
        return call_hook(self, MP_QSTR__get, 0, MP_OBJ_NULL);
    }
    mp_obj_list_t *list = MP_OBJ_TO_PTR(self->items);
    mp_obj_t item = list->items[0];
    list->len--;
    memmove(list->items, list->items + 1, list->len * sizeof(mp_obj_t));
    list->items[list->len] = MP_OBJ_NULL; // the garbage collector looks at it
    shrink(list);
    return item;
}

/******************************************************************************/
// Waiting, and the mutex

// Take the mutex back, whatever comes meanwhile. Returns the last exception.
static mp_obj_t get_back(mp_obj_thread_lock_t *mutex, mp_obj_t exception) {
    while (!lock_take(mutex, false, 0)) {
        mp_obj_t another = line_try_lock(mutex, DEADLINE_NEVER);
        if (another == MP_OBJ_NULL) {
            break;
        }
        exception = another;
    }
    return exception;
}

// Returns false if the queue has got a mutex meanwhile: the operation has to begin anew, with it.
static bool wait(mp_obj_thread_queue_t *self, line_t *line, deadline_t deadline) {
    if (self->mutex == NULL) {
        line_wait_or_pass_on(MP_OBJ_FROM_PTR(self), line, deadline);
        return self->mutex == NULL;
    }
    lock_check_may_wait();
    lock_give(self->mutex);
    mp_obj_t exception;
    bool notified = line_wait(MP_OBJ_FROM_PTR(self), line, NULL, deadline, &exception);
    exception = get_back(self->mutex, exception);
    if (exception != MP_OBJ_NULL) {
        line_notify(line, notified);
        nlr_raise(exception);
    }
    return true;
}

// Returns MP_OBJ_NULL where it has to begin anew.
typedef mp_obj_t (*operation_t)(mp_obj_thread_queue_t *self, request_t *request);

static MP_NOINLINE mp_obj_t with_mutex(mp_obj_thread_queue_t *self, operation_t operation, request_t *request) {
    lock_take(self->mutex, true, DEADLINE_NEVER);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        lock_give(self->mutex);
        nlr_jump(nlr.ret_val);
    }
    mp_obj_t result = operation(self, request);
    nlr_pop();
    lock_give(self->mutex);
    return result;
}

static mp_obj_t run(mp_obj_t self_in, operation_t operation, request_t *request) {
    if (kernel_in_interrupt()) { // it may have come in the midst of another operation
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("can't use a queue in an interrupt handler"));
    }
    mp_obj_thread_queue_t *self = MP_OBJ_TO_PTR(self_in);
    mp_obj_t result = MP_OBJ_NULL;
    if (self->mutex == NULL) {
        result = operation(self, request);
    }
    return result == MP_OBJ_NULL ? with_mutex(self, operation, request) : result;
}

/******************************************************************************/
// What is done with a queue

static mp_obj_t put(mp_obj_thread_queue_t *self, request_t *request) {
    while (!self->is_shutdown && self->maxsize > 0 && size(self) >= self->maxsize) {
        if (deadline_passed(request->deadline)) {
            mp_raise_type(&mp_type_Full);
        }
        if (!wait(self, &self->not_full, request->deadline)) {
            return MP_OBJ_NULL;
        }
    }
    if (self->is_shutdown) {
        mp_raise_type(&mp_type_ShutDown);
    }
    append(self, request->item);
    self->unfinished++;
    line_notify(&self->not_empty, 1);
    return mp_const_none;
}

static mp_obj_t get(mp_obj_thread_queue_t *self, request_t *request) {
    while (size(self) == 0) {
        if (self->is_shutdown) {
            mp_raise_type(&mp_type_ShutDown);
        }
        if (deadline_passed(request->deadline)) {
            mp_raise_type(&mp_type_Empty);
        }
        if (!wait(self, &self->not_empty, request->deadline)) {
            return MP_OBJ_NULL;
        }
    }
    mp_obj_t item = pop(self);
    line_notify(&self->not_full, 1);
    return item;
}

static mp_obj_t task_done(mp_obj_thread_queue_t *self, request_t *request) {
    (void)request;
    if (self->unfinished == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("task_done() called too many times"));
    }
    if (--self->unfinished == 0) {
        line_notify(&self->all_done, LINE_ALL);
    }
    return mp_const_none;
}

static mp_obj_t join(mp_obj_thread_queue_t *self, request_t *request) {
    (void)request;
    while (self->unfinished != 0) {
        if (!wait(self, &self->all_done, DEADLINE_NEVER)) {
            return MP_OBJ_NULL;
        }
    }
    return mp_const_none;
}

static mp_obj_t shut_down(mp_obj_thread_queue_t *self, request_t *request) {
    self->is_shutdown = true;
    if (mp_obj_is_true(request->item)) { // immediately
        while (size(self) != 0) {
            pop(self);
            if (self->unfinished != 0) {
                self->unfinished--;
            }
        }
        line_notify(&self->all_done, LINE_ALL);
    }
    line_notify(&self->not_empty, LINE_ALL);
    line_notify(&self->not_full, LINE_ALL);
    return mp_const_none;
}

static mp_obj_t count(mp_obj_thread_queue_t *self, request_t *request) {
    (void)request;
    return MP_OBJ_NEW_SMALL_INT(size(self));
}

/******************************************************************************/
// The Python type

static mp_obj_thread_lock_t *mutex_of(mp_obj_thread_queue_t *self) {
    if (self->mutex == NULL) {
        self->mutex = MP_OBJ_TO_PTR(lock_new());
    }
    return self->mutex;
}

// _Queue(maxsize=0, hooks=None)
static mp_obj_t queue_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 2, false);
    mp_obj_thread_queue_t *self = m_new_obj(mp_obj_thread_queue_t);
    memset(self, 0, sizeof(*self));
    self->base.type = type;
    self->maxsize = n_args > 0 ? mp_obj_get_int(args[0]) : 0;
    self->hooks = n_args > 1 ? args[1] : mp_const_none;
    self->items = mp_obj_new_list(0, NULL);
    if (self->hooks != mp_const_none) {
        mutex_of(self);
    }
    return MP_OBJ_FROM_PTR(self);
}

static deadline_t deadline_from(mp_obj_t block, mp_obj_t timeout) {
    if (!mp_obj_is_true(block)) {
        return 0;
    }
    if (timeout == mp_const_none) {
        return DEADLINE_NEVER;
    }
    deadline_t deadline = lock_deadline(argument_number(timeout));
    if (deadline == DEADLINE_NEVER) {
        mp_raise_ValueError(MP_ERROR_TEXT("'timeout' must be a non-negative number"));
    }
    return deadline;
}

// A function of its own, as in lock.c.
static MP_NOINLINE mp_obj_t put_with_arguments(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    enum { ARG_item, ARG_block, ARG_timeout };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_item, MP_ARG_OBJ | MP_ARG_REQUIRED, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_block, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_TRUE } },
        { MP_QSTR_timeout, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    mp_obj_thread_queue_t *self = MP_OBJ_TO_PTR(args[0]);
    request_t request = { parsed[ARG_item].u_obj, DEADLINE_NEVER };
    if (self->maxsize > 0) { // otherwise CPython does not look at them
        request.deadline = deadline_from(parsed[ARG_block].u_obj, parsed[ARG_timeout].u_obj);
    }
    return run(args[0], put, &request);
}

// put(item, block=True, timeout=None)
static mp_obj_t queue_put(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    if (n_args == 2 && kwargs->used == 0) {
        request_t request = { args[1], DEADLINE_NEVER };
        return run(args[0], put, &request);
    }
    return put_with_arguments(n_args, args, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(queue_put_obj, 1, queue_put);

bool queue_put_unless_shut_down(mp_obj_t queue, mp_obj_t item) {
    if (!mp_obj_is_exact_type(queue, &mp_type_thread_queue)) {
        mp_raise_TypeError(NULL);
    }
    if (((mp_obj_thread_queue_t *)MP_OBJ_TO_PTR(queue))->is_shutdown) {
        return false;
    }
    request_t request = { item, DEADLINE_NEVER };
    run(queue, put, &request);
    return true;
}

static mp_obj_t queue_put_nowait(mp_obj_t self, mp_obj_t item) {
    request_t request = { item, 0 };
    return run(self, put, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_2(queue_put_nowait_obj, queue_put_nowait);

static MP_NOINLINE mp_obj_t get_with_arguments(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    enum { ARG_block, ARG_timeout };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_block, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_TRUE } },
        { MP_QSTR_timeout, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    request_t request = { MP_OBJ_NULL, deadline_from(parsed[ARG_block].u_obj, parsed[ARG_timeout].u_obj) };
    return run(args[0], get, &request);
}

// get(block=True, timeout=None)
static mp_obj_t queue_get(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    if (n_args == 1 && kwargs->used == 0) {
        request_t request = { MP_OBJ_NULL, DEADLINE_NEVER };
        return run(args[0], get, &request);
    }
    return get_with_arguments(n_args, args, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(queue_get_obj, 1, queue_get);

static mp_obj_t queue_get_nowait(mp_obj_t self) {
    request_t request = { MP_OBJ_NULL, 0 };
    return run(self, get, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_get_nowait_obj, queue_get_nowait);

static mp_obj_t queue_task_done(mp_obj_t self) {
    return run(self, task_done, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_task_done_obj, queue_task_done);

static mp_obj_t queue_join(mp_obj_t self) {
    return run(self, join, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_join_obj, queue_join);

// shutdown(immediate=False)
static mp_obj_t queue_shutdown(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_immediate, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_FALSE } },
    };
    mp_arg_val_t immediate;
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, &immediate);
    request_t request = { immediate.u_obj, 0 };
    return run(args[0], shut_down, &request);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(queue_shutdown_obj, 1, queue_shutdown);

static mp_obj_t queue_qsize(mp_obj_t self) {
    return run(self, count, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_qsize_obj, queue_qsize);

static mp_obj_t queue_empty(mp_obj_t self) {
    return mp_obj_new_bool(queue_qsize(self) == MP_OBJ_NEW_SMALL_INT(0));
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_empty_obj, queue_empty);

static mp_obj_t queue_full(mp_obj_t self_in) {
    mp_obj_thread_queue_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->maxsize > 0 && MP_OBJ_SMALL_INT_VALUE(queue_qsize(self_in)) >= self->maxsize);
}
static MP_DEFINE_CONST_FUN_OBJ_1(queue_full_obj, queue_full);

static void queue_attr(mp_obj_t self_in, qstr attr, mp_obj_t *destination) {
    if (destination[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    mp_obj_thread_queue_t *self = MP_OBJ_TO_PTR(self_in);
    switch (attr) {
        case MP_QSTR_maxsize:
            destination[0] = mp_obj_new_int(self->maxsize);
            break;
        case MP_QSTR_queue:
            destination[0] = self->items;
            break;
        case MP_QSTR_mutex:
            destination[0] = MP_OBJ_FROM_PTR(mutex_of(self));
            break;
        case MP_QSTR_unfinished_tasks:
            destination[0] = MP_OBJ_NEW_SMALL_INT(self->unfinished);
            break;
        case MP_QSTR_is_shutdown:
            destination[0] = mp_obj_new_bool(self->is_shutdown);
            break;
        default:
            destination[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t queue_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_put), MP_ROM_PTR(&queue_put_obj) },
    { MP_ROM_QSTR(MP_QSTR_get), MP_ROM_PTR(&queue_get_obj) },
    { MP_ROM_QSTR(MP_QSTR_put_nowait), MP_ROM_PTR(&queue_put_nowait_obj) },
    { MP_ROM_QSTR(MP_QSTR_get_nowait), MP_ROM_PTR(&queue_get_nowait_obj) },
    { MP_ROM_QSTR(MP_QSTR_task_done), MP_ROM_PTR(&queue_task_done_obj) },
    { MP_ROM_QSTR(MP_QSTR_join), MP_ROM_PTR(&queue_join_obj) },
    { MP_ROM_QSTR(MP_QSTR_shutdown), MP_ROM_PTR(&queue_shutdown_obj) },
    { MP_ROM_QSTR(MP_QSTR_qsize), MP_ROM_PTR(&queue_qsize_obj) },
    { MP_ROM_QSTR(MP_QSTR_empty), MP_ROM_PTR(&queue_empty_obj) },
    { MP_ROM_QSTR(MP_QSTR_full), MP_ROM_PTR(&queue_full_obj) },
};
static MP_DEFINE_CONST_DICT(queue_locals_dict, queue_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_queue,
    MP_QSTR_Queue,
    MP_TYPE_FLAG_NONE,
    make_new, queue_make_new,
    attr, queue_attr,
    locals_dict, &queue_locals_dict
    );
