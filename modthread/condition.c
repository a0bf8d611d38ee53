// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The condition variable: a lock, and a line of threads that wait to be notified. Names, messages and order are those of
// CPython's Lib/threading.py.

#include "py/runtime.h"

#include "condition.h"
#include "gil.h"
#include "notice.h"
#include "rlock.h"

// Fits into one GC block, on 32-bit chips 16 bytes.
typedef struct _mp_obj_thread_condition_t {
    mp_obj_base_t base;
    mp_obj_thread_lock_t *lock; // a Lock or an RLock
    line_t waiters;
} mp_obj_thread_condition_t;

static bool is_rlock(const mp_obj_thread_lock_t *lock) {
    return lock->base.type == &mp_type_thread_rlock;
}

// As in CPython, who has taken a Lock is not known: somebody has.
static bool is_owned(const mp_obj_thread_lock_t *lock) {
    return is_rlock(lock) ? rlock_is_owned((const mp_obj_thread_rlock_t *)lock) : lock->taken_by != LOCK_FREE;
}

static void check_owned(const mp_obj_thread_condition_t *condition, mp_rom_error_text_t message) {
    if (!is_owned(condition->lock)) {
        mp_raise_msg(&mp_type_RuntimeError, message);
    }
}

static void notify(mp_obj_thread_condition_t *condition, mp_uint_t count) {
    check_owned(condition, MP_ERROR_TEXT("cannot notify on un-acquired lock"));
    line_notify(&condition->waiters, count);
}

/******************************************************************************/
// Waiting

// Get the condition's lock back, also after an exception: `with` will release it. One exception waits until it is there; a
// second one is raised without it, so that a lock that nobody releases cannot keep a program for ever.
static mp_obj_t get_back(mp_obj_thread_lock_t *lock, mp_obj_t exception) {
    while (!lock_take(lock, false, 0)) {
        mp_obj_t another = line_try_lock(lock, DEADLINE_NEVER);
        if (another == MP_OBJ_NULL) {
            break;
        }
        if (exception != MP_OBJ_NULL) {
            nlr_raise(another);
        }
        exception = another;
    }
    return exception;
}

// Returns true if it was notified.
static bool wait_until(mp_obj_thread_condition_t *condition, deadline_t deadline) {
    check_owned(condition, MP_ERROR_TEXT("cannot wait on un-acquired lock"));
    lock_check_may_wait();
    mp_obj_thread_lock_t *lock = condition->lock;
    uint32_t count = 0;
    if (is_rlock(lock)) {
        count = rlock_give_all((mp_obj_thread_rlock_t *)lock);
    } else {
        lock_give(lock);
    }
    mp_obj_t exception; // nobody comes before it stands in line: giving a lock does not give up the GIL
    bool notified = line_wait(MP_OBJ_FROM_PTR(condition), &condition->waiters, NULL, deadline, &exception);
    exception = get_back(lock, exception);
    if (is_rlock(lock)) {
        rlock_own((mp_obj_thread_rlock_t *)lock, count);
    }
    if (exception != MP_OBJ_NULL) {
        nlr_raise(exception);
    }
    return notified;
}

/******************************************************************************/
// The Python type

static mp_obj_t condition_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_lock, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t lock;
    mp_arg_parse_all_kw_array(n_args, n_kw, args, MP_ARRAY_SIZE(allowed), allowed, &lock);
    if (lock.u_obj == mp_const_none) {
        lock.u_obj = rlock_new();
    } else if (!mp_obj_is_type(lock.u_obj, &mp_type_thread_lock) && !mp_obj_is_type(lock.u_obj, &mp_type_thread_rlock)) {
        mp_raise_TypeError(MP_ERROR_TEXT("lock must be a Lock or an RLock"));
    }
    mp_obj_thread_condition_t *self = mp_obj_malloc(mp_obj_thread_condition_t, type);
    self->lock = MP_OBJ_TO_PTR(lock.u_obj);
    self->waiters.first = NULL;
    return MP_OBJ_FROM_PTR(self);
}

static void condition_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_obj_thread_condition_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<Condition(");
    mp_obj_print_helper(print, MP_OBJ_FROM_PTR(self->lock), PRINT_REPR);
    mp_printf(print, ", %u)>", (unsigned)line_length(&self->waiters));
}

// wait(timeout=None)
static mp_obj_t condition_wait(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    deadline_t deadline = line_deadline(line_timeout(n_args, args, kwargs));
    return mp_obj_new_bool(wait_until(MP_OBJ_TO_PTR(args[0]), deadline));
}
static MP_DEFINE_CONST_FUN_OBJ_KW(condition_wait_obj, 1, condition_wait);

// wait_for(predicate, timeout=None)
static mp_obj_t condition_wait_for(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    enum { ARG_predicate, ARG_timeout };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_predicate, MP_ARG_OBJ | MP_ARG_REQUIRED, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_timeout, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    deadline_t deadline = line_deadline(parsed[ARG_timeout].u_obj);
    for (;;) {
        mp_obj_t result = mp_call_function_0(parsed[ARG_predicate].u_obj);
        if (mp_obj_is_true(result) || deadline_passed(deadline)) {
            return result;
        }
        wait_until(MP_OBJ_TO_PTR(args[0]), deadline);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_KW(condition_wait_for_obj, 1, condition_wait_for);

// notify(n=1)
static mp_obj_t condition_notify(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_n, MP_ARG_INT, { .u_int = 1 } },
    };
    mp_arg_val_t n;
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, &n);
    notify(MP_OBJ_TO_PTR(args[0]), MAX(n.u_int, 0));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(condition_notify_obj, 1, condition_notify);

static mp_obj_t condition_notify_all(mp_obj_t self) {
    notify(MP_OBJ_TO_PTR(self), LINE_ALL);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(condition_notify_all_obj, condition_notify_all);

static mp_obj_t condition_is_owned(mp_obj_t self_in) {
    mp_obj_thread_condition_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(is_owned(self->lock));
}
static MP_DEFINE_CONST_FUN_OBJ_1(condition_is_owned_obj, condition_is_owned);

// The lock's methods are the condition's.
static void condition_attr(mp_obj_t self_in, qstr attr, mp_obj_t *destination) {
    if (destination[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    mp_obj_thread_condition_t *self = MP_OBJ_TO_PTR(self_in);
    switch (attr) {
        case MP_QSTR_acquire:
        case MP_QSTR_release:
        case MP_QSTR_locked:
        case MP_QSTR___enter__:
        case MP_QSTR___exit__:
            mp_load_method(MP_OBJ_FROM_PTR(self->lock), attr, destination);
            break;
        default:
            destination[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t condition_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_wait), MP_ROM_PTR(&condition_wait_obj) },
    { MP_ROM_QSTR(MP_QSTR_wait_for), MP_ROM_PTR(&condition_wait_for_obj) },
    { MP_ROM_QSTR(MP_QSTR_notify), MP_ROM_PTR(&condition_notify_obj) },
    { MP_ROM_QSTR(MP_QSTR_notify_all), MP_ROM_PTR(&condition_notify_all_obj) },
    { MP_ROM_QSTR(MP_QSTR__is_owned), MP_ROM_PTR(&condition_is_owned_obj) },
};
static MP_DEFINE_CONST_DICT(condition_locals_dict, condition_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_condition,
    MP_QSTR_Condition,
    MP_TYPE_FLAG_NONE,
    make_new, condition_make_new,
    print, condition_print,
    attr, condition_attr,
    locals_dict, &condition_locals_dict
    );
