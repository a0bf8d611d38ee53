// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_LOCK_H
#define MODTHREAD_LOCK_H

#include "py/obj.h"

#include "deadline.h"

struct _waiter_t;

// Fits into one GC block, on 32-bit chips 16 bytes.
typedef struct _mp_obj_thread_lock_t {
    mp_obj_base_t base;
    uint32_t taken_by; // a thread's identifier, or one of these
    struct _waiter_t *first;
    struct _waiter_t *last;
} mp_obj_thread_lock_t;

#define LOCK_FREE (0)
#define LOCK_IN_A_LINE (UINT32_MAX) // what a notice has, see notice.c

extern const mp_obj_type_t mp_type_thread_lock;

// Make a lock of memory that has its type already. Nobody waits for it.
static inline void lock_prepare(mp_obj_thread_lock_t *lock, uint32_t taken_by) {
    lock->taken_by = taken_by;
    lock->first = NULL;
}

// Take the lock, after a wait in its line if that is allowed and has to be. Returns whether it was taken. Needs the GIL;
// a hard interrupt handler may call it, too. Raises RuntimeError where nothing may wait, and what is pending for the thread.
bool lock_take(mp_obj_thread_lock_t *lock, bool may_wait, deadline_t deadline);

// Give the lock to the first who waits, or to nobody. Returns whether it was locked. May be called in any interrupt.
bool lock_give(mp_obj_thread_lock_t *lock);

// Raise RuntimeError where nothing may wait. Needs the GIL; never blocks.
void lock_check_may_wait(void);

// When a timeout in seconds, an argument_number(), is over; a negative one never is. Raises TypeError, ValueError and
// OverflowError.
deadline_t lock_deadline(mp_obj_t timeout);

// The arguments of acquire(waitflag=1, timeout=-1), the lock itself first. Returns whether it may wait, and until when.
// Raises TypeError, ValueError and OverflowError, see stubs/_thread.pyi.
bool lock_parse_acquire(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs, deadline_t *deadline);

// A new lock, unlocked; one GC block. Needs the GIL. Raises MemoryError.
mp_obj_t lock_new(void);

// Raise TypeError if the type of the lock is among the bases of a new class, as MicroPython does for types without a constructor.
void lock_refuse_as_base(mp_obj_t bases);

// A soft reset is about to delete all other threads: from now on nobody waits for a lock, whatever an interrupt releases.
void lock_reset(void);

// True from then on until somebody waits again: whoever has waited is gone, with the stack on which it did.
bool lock_lines_lost(void);

#endif // MODTHREAD_LOCK_H
