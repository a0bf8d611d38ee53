// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The reentrant lock: a lock, and who has it how often. Its names and messages are those of CPython's Modules/_threadmodule.c.
//
// An interrupt handler may come between any two steps here, and take and release the lock of the thread that it interrupts.
// It leaves `owner` and `count` as it found them. A lock that is taken and has no owner yet, or no longer, is nobody's for it.

#include "py/runtime.h"

#include "lock.h"
#include "rlock.h"

#define NOBODY (0)

static bool take(mp_obj_thread_rlock_t *self, bool may_wait, deadline_t deadline) {
    if (rlock_is_owned(self)) {
        ++self->count;
        return true;
    }
    if (!lock_take(&self->lock, may_wait, deadline)) {
        return false;
    }
    rlock_own(self, 1);
    return true;
}

uint32_t rlock_give_all(mp_obj_thread_rlock_t *self) {
    uint32_t count = self->count;
    self->owner = NOBODY;
    lock_give(&self->lock);
    return count;
}

static void check_owned(const mp_obj_thread_rlock_t *self) {
    if (!rlock_is_owned(self)) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("cannot release un-acquired lock"));
    }
}

/******************************************************************************/
// The Python type

mp_obj_t rlock_new(void) {
    mp_obj_thread_rlock_t *self = mp_obj_malloc(mp_obj_thread_rlock_t, &mp_type_thread_rlock);
    lock_prepare(&self->lock, LOCK_FREE);
    self->owner = NOBODY;
    self->count = 0;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t rlock_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return rlock_new();
}

static void rlock_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_obj_thread_rlock_t *self = MP_OBJ_TO_PTR(self_in);
    uint32_t owner = self->owner;
    mp_printf(print, "<%s _thread.RLock object owner=%u count=%u at 0x%p>", self->lock.taken_by != LOCK_FREE ? "locked" : "unlocked",
        (unsigned)owner, owner == NOBODY ? 0 : (unsigned)self->count, self);
}

static mp_obj_t rlock_acquire(mp_obj_t self) {
    return mp_obj_new_bool(take(MP_OBJ_TO_PTR(self), true, DEADLINE_NEVER));
}
static MP_DEFINE_CONST_FUN_OBJ_1(rlock_enter_obj, rlock_acquire);

// A function of its own, as in lock.c.
static MP_NOINLINE mp_obj_t acquire_with_arguments(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    deadline_t deadline;
    bool may_wait = lock_parse_acquire(n_args, args, kwargs, &deadline);
    return mp_obj_new_bool(take(MP_OBJ_TO_PTR(args[0]), may_wait, deadline));
}

// acquire(waitflag=1, timeout=-1)
static mp_obj_t rlock_obj_acquire(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    if (n_args == 1 && kwargs->used == 0) {
        return rlock_acquire(args[0]);
    }
    return acquire_with_arguments(n_args, args, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(rlock_acquire_obj, 1, rlock_obj_acquire);

static mp_obj_t rlock_release(mp_obj_t self_in) {
    mp_obj_thread_rlock_t *self = MP_OBJ_TO_PTR(self_in);
    check_owned(self);
    if (self->count > 1) {
        --self->count;
    } else {
        rlock_give_all(self); // with a count of 1: a handler that takes and releases it before leaves it taken
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(rlock_release_obj, rlock_release);

static mp_obj_t rlock_obj_exit(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return rlock_release(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(rlock_exit_obj, 4, 4, rlock_obj_exit);

static mp_obj_t rlock_obj_locked(mp_obj_t self_in) {
    mp_obj_thread_rlock_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->lock.taken_by != LOCK_FREE);
}
static MP_DEFINE_CONST_FUN_OBJ_1(rlock_locked_obj, rlock_obj_locked);

/******************************************************************************/
// What a condition needs: to let go of the lock as a whole, and to take it back

static mp_obj_t rlock_obj_is_owned(mp_obj_t self) {
    return mp_obj_new_bool(rlock_is_owned(MP_OBJ_TO_PTR(self)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(rlock_is_owned_obj, rlock_obj_is_owned);

static mp_obj_t rlock_obj_recursion_count(mp_obj_t self_in) {
    mp_obj_thread_rlock_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_int_from_uint(rlock_is_owned(self) ? self->count : 0);
}
static MP_DEFINE_CONST_FUN_OBJ_1(rlock_recursion_count_obj, rlock_obj_recursion_count);

// Returns how often the owner had it. CPython returns a tuple with the owner; what it is, is private to the lock.
static mp_obj_t rlock_obj_release_save(mp_obj_t self_in) {
    mp_obj_thread_rlock_t *self = MP_OBJ_TO_PTR(self_in);
    check_owned(self);
    return mp_obj_new_int_from_uint(rlock_give_all(self));
}
static MP_DEFINE_CONST_FUN_OBJ_1(rlock_release_save_obj, rlock_obj_release_save);

static mp_obj_t rlock_obj_acquire_restore(mp_obj_t self_in, mp_obj_t count_in) {
    mp_obj_thread_rlock_t *self = MP_OBJ_TO_PTR(self_in);
    mp_int_t count = mp_obj_get_int(count_in);
    take(self, true, DEADLINE_NEVER);
    self->count = count;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(rlock_acquire_restore_obj, rlock_obj_acquire_restore);

static const mp_rom_map_elem_t rlock_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_acquire), MP_ROM_PTR(&rlock_acquire_obj) },
    { MP_ROM_QSTR(MP_QSTR_release), MP_ROM_PTR(&rlock_release_obj) },
    { MP_ROM_QSTR(MP_QSTR_locked), MP_ROM_PTR(&rlock_locked_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&rlock_enter_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&rlock_exit_obj) },
    { MP_ROM_QSTR(MP_QSTR__is_owned), MP_ROM_PTR(&rlock_is_owned_obj) },
    { MP_ROM_QSTR(MP_QSTR__recursion_count), MP_ROM_PTR(&rlock_recursion_count_obj) },
    { MP_ROM_QSTR(MP_QSTR__release_save), MP_ROM_PTR(&rlock_release_save_obj) },
    { MP_ROM_QSTR(MP_QSTR__acquire_restore), MP_ROM_PTR(&rlock_acquire_restore_obj) },
};
static MP_DEFINE_CONST_DICT(rlock_locals_dict, rlock_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_rlock,
    MP_QSTR_RLock,
    MP_TYPE_FLAG_NONE,
    make_new, rlock_make_new,
    print, rlock_print,
    locals_dict, &rlock_locals_dict
    );
