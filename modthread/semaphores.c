// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The semaphores: a number, and a line of threads that wait until it is not zero. Names and messages are those of CPython's
// Lib/threading.py.

#include "py/runtime.h"
#include "py/smallint.h"

#include "notice.h"
#include "semaphores.h"

// Two GC blocks, on 32-bit chips 32 bytes.
typedef struct _mp_obj_thread_semaphore_t {
    mp_obj_base_t base;
    mp_int_t value;
    mp_int_t most; // that the value may be
    line_t waiters;
} mp_obj_thread_semaphore_t;

static bool is_bounded(const mp_obj_thread_semaphore_t *self) {
    return self->base.type == &mp_type_thread_bounded_semaphore;
}

static mp_obj_t semaphore_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_value, MP_ARG_INT, { .u_int = 1 } },
    };
    mp_arg_val_t value;
    mp_arg_parse_all_kw_array(n_args, n_kw, args, MP_ARRAY_SIZE(allowed), allowed, &value);
    if (value.u_int < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("semaphore initial value must be >= 0"));
    }
    mp_obj_thread_semaphore_t *self = mp_obj_malloc(mp_obj_thread_semaphore_t, type);
    self->value = value.u_int;
    self->most = value.u_int;
    self->waiters.first = NULL;
    return MP_OBJ_FROM_PTR(self);
}

static void semaphore_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_obj_thread_semaphore_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<threading.%q at 0x%p: value=%d", (qstr)self->base.type->name, self, (int)self->value);
    if (is_bounded(self)) {
        mp_printf(print, "/%d", (int)self->most);
    }
    mp_print_str(print, ">");
}

// Returns whether it was acquired.
static bool acquire(mp_obj_t self_in, deadline_t deadline) {
    mp_obj_thread_semaphore_t *self = MP_OBJ_TO_PTR(self_in);
    while (self->value == 0) {
        if (deadline_passed(deadline)) {
            return false;
        }
        line_wait_or_pass_on(self_in, &self->waiters, deadline);
    }
    self->value--;
    return true;
}

// acquire(blocking=True, timeout=None)
static mp_obj_t semaphore_acquire(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    enum { ARG_blocking, ARG_timeout };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_blocking, MP_ARG_BOOL, { .u_bool = true } },
        { MP_QSTR_timeout, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    mp_obj_t timeout = parsed[ARG_timeout].u_obj;
    if (!parsed[ARG_blocking].u_bool && timeout != mp_const_none) {
        mp_raise_ValueError(MP_ERROR_TEXT("can't specify timeout for non-blocking acquire"));
    }
    return mp_obj_new_bool(acquire(args[0], parsed[ARG_blocking].u_bool ? line_deadline(timeout) : 0));
}
static MP_DEFINE_CONST_FUN_OBJ_KW(semaphore_acquire_obj, 1, semaphore_acquire);

static mp_obj_t semaphore_enter(mp_obj_t self) {
    return mp_obj_new_bool(acquire(self, DEADLINE_NEVER));
}
static MP_DEFINE_CONST_FUN_OBJ_1(semaphore_enter_obj, semaphore_enter);

static void release(mp_obj_t self_in, mp_int_t n) {
    mp_obj_thread_semaphore_t *self = MP_OBJ_TO_PTR(self_in);
    if (n < 1) {
        mp_raise_ValueError(MP_ERROR_TEXT("n must be one or more"));
    }
    if (n > (is_bounded(self) ? self->most : MP_SMALL_INT_MAX) - self->value) {
        mp_raise_ValueError(MP_ERROR_TEXT("Semaphore released too many times"));
    }
    self->value += n;
    line_notify(&self->waiters, n);
}

// release(n=1)
static mp_obj_t semaphore_release(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_n, MP_ARG_INT, { .u_int = 1 } },
    };
    mp_arg_val_t n;
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, &n);
    release(args[0], n.u_int);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(semaphore_release_obj, 1, semaphore_release);

static mp_obj_t semaphore_exit(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    release(args[0], 1);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(semaphore_exit_obj, 4, 4, semaphore_exit);

static void semaphore_attr(mp_obj_t self_in, qstr attr, mp_obj_t *destination) {
    if (destination[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    mp_obj_thread_semaphore_t *self = MP_OBJ_TO_PTR(self_in);
    if (attr == MP_QSTR__value) {
        destination[0] = mp_obj_new_int(self->value);
    } else {
        destination[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t semaphore_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_acquire), MP_ROM_PTR(&semaphore_acquire_obj) },
    { MP_ROM_QSTR(MP_QSTR_release), MP_ROM_PTR(&semaphore_release_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&semaphore_enter_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&semaphore_exit_obj) },
};
static MP_DEFINE_CONST_DICT(semaphore_locals_dict, semaphore_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_semaphore,
    MP_QSTR_Semaphore,
    MP_TYPE_FLAG_NONE,
    make_new, semaphore_make_new,
    print, semaphore_print,
    attr, semaphore_attr,
    locals_dict, &semaphore_locals_dict
    );

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_bounded_semaphore,
    MP_QSTR_BoundedSemaphore,
    MP_TYPE_FLAG_NONE,
    make_new, semaphore_make_new,
    print, semaphore_print,
    attr, semaphore_attr,
    parent, &mp_type_thread_semaphore,
    locals_dict, &semaphore_locals_dict
    );
