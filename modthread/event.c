// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The event: a flag, and a line of threads that wait until it is set. Names and messages are those of CPython's
// Lib/threading.py.

#include "py/runtime.h"

#include "event.h"
#include "notice.h"

// Fits into one GC block, on 32-bit chips 16 bytes.
typedef struct _mp_obj_thread_event_t {
    mp_obj_base_t base;
    volatile bool is_set; // a hard interrupt handler may set it
    line_t waiters;
} mp_obj_thread_event_t;

static mp_obj_t event_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    mp_obj_thread_event_t *self = mp_obj_malloc(mp_obj_thread_event_t, type);
    self->is_set = false;
    self->waiters.first = NULL;
    return MP_OBJ_FROM_PTR(self);
}

static void event_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_obj_thread_event_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<threading.Event at 0x%p: %s>", self, self->is_set ? "set" : "unset");
}

static mp_obj_t event_is_set(mp_obj_t self_in) {
    mp_obj_thread_event_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->is_set);
}
static MP_DEFINE_CONST_FUN_OBJ_1(event_is_set_obj, event_is_set);

static mp_obj_t event_set(mp_obj_t self_in) {
    mp_obj_thread_event_t *self = MP_OBJ_TO_PTR(self_in);
    self->is_set = true;
    line_notify(&self->waiters, LINE_ALL);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(event_set_obj, event_set);

static mp_obj_t event_clear(mp_obj_t self_in) {
    mp_obj_thread_event_t *self = MP_OBJ_TO_PTR(self_in);
    self->is_set = false;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(event_clear_obj, event_clear);

// A function of its own, as in lock.c.
static MP_NOINLINE mp_obj_t wait_until_set(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    mp_obj_thread_event_t *self = MP_OBJ_TO_PTR(args[0]);
    deadline_t deadline = line_deadline(line_timeout(n_args, args, kwargs));
    if (self->is_set) {
        return mp_const_true;
    }
    lock_check_may_wait();
    mp_obj_t exception;
    bool notified = line_wait(args[0], &self->waiters, &self->is_set, deadline, &exception);
    if (exception != MP_OBJ_NULL) {
        nlr_raise(exception);
    }
    return mp_obj_new_bool(notified);
}

// wait(timeout=None)
static mp_obj_t event_wait(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    mp_obj_thread_event_t *self = MP_OBJ_TO_PTR(args[0]);
    if (n_args == 1 && kwargs->used == 0 && self->is_set) {
        return mp_const_true;
    }
    return wait_until_set(n_args, args, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(event_wait_obj, 1, event_wait);

static const mp_rom_map_elem_t event_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_wait), MP_ROM_PTR(&event_wait_obj) },
    { MP_ROM_QSTR(MP_QSTR_set), MP_ROM_PTR(&event_set_obj) },
    { MP_ROM_QSTR(MP_QSTR_clear), MP_ROM_PTR(&event_clear_obj) },
    { MP_ROM_QSTR(MP_QSTR_is_set), MP_ROM_PTR(&event_is_set_obj) },
};
static MP_DEFINE_CONST_DICT(event_locals_dict, event_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_event,
    MP_QSTR_Event,
    MP_TYPE_FLAG_NONE,
    make_new, event_make_new,
    print, event_print,
    locals_dict, &event_locals_dict
    );
