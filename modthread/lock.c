// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The lock: who has taken it, and the threads that wait for it in the order in which they came. Whoever releases it while
// somebody waits hands it over: it stays locked and belongs to the first waiter from that moment on, so nobody can come between.
//
// Any thread may release it: who has taken it is told to people (describe.c), and nothing depends on it. For an interrupt
// handler it is the thread that is interrupted.

#include "py/runtime.h"

#include "arguments.h"
#include "gil.h"
#include "lock.h"
#include "micropython_releases.h"
#include "scheduler.h"

// A thread that waits for a lock; on its stack.
//
// It is in the line only while its thread is parked or ready: nothing else happens there, and nobody raises. Before a
// callback runs or an exception is raised the thread leaves the line, and comes back to its old place.
typedef struct _waiter_t {
    struct _waiter_t *next;
    thread_t *thread;
    uint32_t number; // in the order in which they came, to any lock; wraps
    bool owns_lock; // set by whoever hands the lock over
} waiter_t;

/******************************************************************************/
// The lock itself

// A soft reset deletes who waits in lines, with the stacks on which they are; the locks live until the heap goes.
static bool lines_lost;

void lock_reset(void) {
    lines_lost = true;
}

bool lock_lines_lost(void) {
    return lines_lost;
}

static bool lock_try(mp_obj_thread_lock_t *lock) {
    uint32_t state = kernel_lock();
    bool acquired = lock->taken_by == LOCK_FREE;
    if (acquired) {
        lock->taken_by = gil_current->ident;
    }
    kernel_unlock(state);
    return acquired;
}

static inline MP_ALWAYSINLINE bool give(mp_obj_thread_lock_t *lock) {
    uint32_t state = kernel_lock();
    bool was_locked = lock->taken_by != LOCK_FREE;
    waiter_t *waiter = lines_lost ? NULL : lock->first;
    if (waiter == NULL) {
        lock->taken_by = LOCK_FREE;
    } else {
        lock->first = waiter->next;
        lock->taken_by = waiter->thread->ident;
        waiter->owns_lock = true;
        gil_wake_in_critical(waiter->thread);
    }
    kernel_unlock(state);
    return was_locked;
}

bool lock_give(mp_obj_thread_lock_t *lock) {
    return give(lock);
}

static bool came_before(const waiter_t *waiter, const waiter_t *other) {
    return (int32_t)(waiter->number - other->number) < 0;
}

// Back to its place in a line in which somebody stands behind it.
static MP_NOINLINE void lock_rejoin(mp_obj_thread_lock_t *lock, waiter_t *waiter) {
    waiter_t **link = &lock->first;
    while (came_before(*link, waiter)) {
        link = &(*link)->next;
    }
    waiter->next = *link;
    *link = waiter;
}

// Wait in line, or take the lock if it is free by now. In a critical section.
static void lock_join(mp_obj_thread_lock_t *lock, waiter_t *waiter) {
    lines_lost = false;
    waiter->owns_lock = lock->taken_by == LOCK_FREE;
    if (waiter->owns_lock) {
        lock->taken_by = waiter->thread->ident;
        return;
    }
    waiter->next = NULL;
    if (lock->first == NULL) {
        lock->first = waiter;
    } else if (came_before(lock->last, waiter)) {
        lock->last->next = waiter;
    } else {
        lock_rejoin(lock, waiter);
        return;
    }
    lock->last = waiter;
}

// Wait no longer. Returns true if the lock came all the same and is owned now.
static bool lock_quit(mp_obj_thread_lock_t *lock, waiter_t *waiter) {
    uint32_t state = kernel_lock();
    if (!waiter->owns_lock) {
        waiter_t *before = NULL;
        for (waiter_t *w = lock->first; w != waiter; w = w->next) {
            before = w;
        }
        if (before == NULL) {
            lock->first = waiter->next;
        } else {
            before->next = waiter->next;
        }
        if (lock->last == waiter) {
            lock->last = before;
        }
    }
    kernel_unlock(state);
    return waiter->owns_lock;
}

// Wait in line, at most until something is pending for the thread. Returns true if it owns the lock then.
static bool lock_park(mp_obj_thread_lock_t *lock, waiter_t *waiter, deadline_t deadline) {
    uint32_t state = kernel_lock();
    lock_join(lock, waiter);
    if (waiter->owns_lock) {
        kernel_unlock(state);
        return true;
    }
    waiter->thread->waits_for = lock;
    TRACE_LOCK(waiter->thread, lock);
    scheduler_unlock_and_park(deadline, state, false);
    TRACE_LOCK(waiter->thread, NULL);
    return waiter->owns_lock || lock_quit(lock, waiter);
}

static inline MP_ALWAYSINLINE void check_may_wait(void) {
    if (scheduler_is_locked() || gil_pins > 0) { // whoever has it cannot release it meanwhile
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("can't wait for a lock here"));
    }
}

void lock_check_may_wait(void) {
    check_may_wait();
}

// Wait until the deadline. An exception that is pending for the thread ends the wait and is raised.
static bool lock_wait(mp_obj_thread_lock_t *lock, deadline_t deadline) {
    check_may_wait();
    static uint32_t last_number;
    waiter_t waiter; // lock_join() sets the rest
    waiter.thread = gil_current;
    waiter.number = ++last_number;
    while (!deadline_passed(deadline)) {
        if (lock_park(lock, &waiter, deadline)) {
            if (!scheduler_exception_pending()) {
                waiter.thread->waits_for = NULL;
                return true; // what else is pending, the VM attends to next
            }
            lock_give(lock); // it is raised here and now, whatever has come meanwhile
        }
        mp_handle_pending(MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS);
    }
    waiter.thread->waits_for = NULL;
    return lock_try(lock);
}

bool lock_take(mp_obj_thread_lock_t *lock, bool may_wait, deadline_t deadline) {
    return lock_try(lock) || (may_wait && lock_wait(lock, deadline));
}

/******************************************************************************/
// The Python type

mp_obj_t lock_new(void) {
    mp_obj_thread_lock_t *self = mp_obj_malloc(mp_obj_thread_lock_t, &mp_type_thread_lock);
    lock_prepare(self, LOCK_FREE);
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t lock_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return lock_new();
}

static void lock_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_obj_thread_lock_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<%s _thread.lock object at 0x%p>", self->taken_by != LOCK_FREE ? "locked" : "unlocked", self);
}

deadline_t lock_deadline(mp_obj_t timeout) {
    mp_float_t seconds = mp_obj_get_float(timeout);
    if (seconds != seconds) {
        mp_raise_ValueError(MP_ERROR_TEXT("timeout is not a number"));
    }
    if (seconds < 0) {
        return DEADLINE_NEVER;
    }
    if (seconds > DEADLINE_SECONDS_MAX) {
        mp_raise_msg(&mp_type_OverflowError, MP_ERROR_TEXT("timeout value is too large"));
    }
    // In whole numbers of 32 bits, for which every chip's library has what it takes.
    uint32_t whole = (uint32_t)seconds;
    uint64_t us = (uint64_t)whole * 1000000 + (uint32_t)((seconds - whole) * 1000000);
    return deadline_after_us(us + (us >> 23) + (seconds > 0)); // a float loses its last bit, and parts of a microsecond
}

bool lock_parse_acquire(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs, deadline_t *deadline) {
    enum { ARG_waitflag, ARG_timeout, ARG_blocking };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_waitflag, MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_timeout, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_INT(-1) } },
        { MP_QSTR_blocking, MP_ARG_OBJ | MP_ARG_KW_ONLY, { .u_obj = MP_OBJ_NULL } }, // CPython's name
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, args + 1, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    mp_obj_t waitflag = parsed[ARG_waitflag].u_obj;
    mp_obj_t blocking = parsed[ARG_blocking].u_obj;
    if (waitflag != MP_OBJ_NULL && blocking != MP_OBJ_NULL) {
        mp_raise_TypeError(MP_ERROR_TEXT("waitflag and blocking are the same argument"));
    }
    mp_obj_t wait = waitflag != MP_OBJ_NULL ? waitflag : blocking;
    mp_obj_t timeout = argument_number(parsed[ARG_timeout].u_obj);
    *deadline = lock_deadline(timeout);
    bool may_wait = wait == MP_OBJ_NULL || mp_obj_get_int(argument_number(wait)) != 0;
    if (!may_wait && !mp_obj_equal(timeout, MP_OBJ_NEW_SMALL_INT(-1))) {
        mp_raise_ValueError(MP_ERROR_TEXT("can't specify a timeout for a non-blocking call"));
    }
    return may_wait;
}

static mp_obj_t lock_acquire(mp_obj_t self) {
    mp_obj_thread_lock_t *lock = MP_OBJ_TO_PTR(self);
    return mp_obj_new_bool(lock_try(lock) || lock_wait(lock, DEADLINE_NEVER));
}

// A function of its own, so that a call without arguments needs no room for what they are parsed into.
static MP_NOINLINE mp_obj_t acquire_with_arguments(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    deadline_t deadline;
    bool may_wait = lock_parse_acquire(n_args, args, kwargs, &deadline);
    return mp_obj_new_bool(lock_take(MP_OBJ_TO_PTR(args[0]), may_wait, deadline));
}

// acquire(waitflag=1, timeout=-1)
static mp_obj_t lock_obj_acquire(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    if (n_args == 1 && kwargs->used == 0) {
        return lock_acquire(args[0]);
    }
    return acquire_with_arguments(n_args, args, kwargs);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(lock_acquire_obj, 1, lock_obj_acquire);

static mp_obj_t lock_release(mp_obj_t self) {
    if (!give(MP_OBJ_TO_PTR(self))) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("release unlocked lock"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(lock_release_obj, lock_release);

static mp_obj_t lock_obj_locked(mp_obj_t self_in) {
    mp_obj_thread_lock_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->taken_by != LOCK_FREE);
}
static MP_DEFINE_CONST_FUN_OBJ_1(lock_locked_obj, lock_obj_locked);

static MP_DEFINE_CONST_FUN_OBJ_1(lock_enter_obj, lock_acquire);

static mp_obj_t lock_obj_exit(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return lock_release(args[0]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lock_exit_obj, 4, 4, lock_obj_exit);

// The two methods that matter are found without a search; the others are where they are for every type.
static void lock_attr(mp_obj_t self, qstr attr, mp_obj_t *destination) {
    if (destination[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    destination[1] = self;
    if (attr == MP_QSTR_acquire) {
        destination[0] = MP_OBJ_FROM_PTR(&lock_acquire_obj);
    } else if (attr == MP_QSTR_release) {
        destination[0] = MP_OBJ_FROM_PTR(&lock_release_obj);
    } else {
        destination[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t lock_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_acquire), MP_ROM_PTR(&lock_acquire_obj) },
    { MP_ROM_QSTR(MP_QSTR_release), MP_ROM_PTR(&lock_release_obj) },
    { MP_ROM_QSTR(MP_QSTR_locked), MP_ROM_PTR(&lock_locked_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&lock_enter_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&lock_exit_obj) },
};
static MP_DEFINE_CONST_DICT(lock_locals_dict, lock_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_lock,
    MP_QSTR_lock,
    MP_TYPE_FLAG_NONE,
    make_new, lock_make_new,
    print, lock_print,
    attr, lock_attr,
    locals_dict, &lock_locals_dict
    );

void lock_refuse_as_base(mp_obj_t bases) {
    if (!mp_obj_is_type(bases, &mp_type_tuple)) {
        return; // MicroPython refuses it
    }
    size_t count;
    mp_obj_t *items;
    mp_obj_tuple_get(bases, &count, &items);
    for (size_t i = 0; i < count; i++) {
        if (items[i] == MP_OBJ_FROM_PTR(&mp_type_thread_lock)) {
            mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("type '%q' isn't an acceptable base type"), mp_type_thread_lock.name);
        }
    }
}
