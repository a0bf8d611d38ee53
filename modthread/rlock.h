// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_RLOCK_H
#define MODTHREAD_RLOCK_H

#include "gil.h"
#include "lock.h"

extern const mp_obj_type_t mp_type_thread_rlock;

// Two GC blocks, on 32-bit chips 32 bytes.
typedef struct _mp_obj_thread_rlock_t {
    mp_obj_thread_lock_t lock; // whose type is the RLock's
    uint32_t owner; // a thread's identifier
    uint32_t count; // how often the owner has taken it
} mp_obj_thread_rlock_t;

// A new one, which nobody has. Needs the GIL. Raises MemoryError.
mp_obj_t rlock_new(void);

// True if the calling thread has it. Needs the GIL; never blocks.
static inline bool rlock_is_owned(const mp_obj_thread_rlock_t *self) {
    return self->owner == gil_current->ident;
}

// The owner lets go of it, however often it has it; returns how often. Needs the GIL; never blocks.
uint32_t rlock_give_all(mp_obj_thread_rlock_t *self);

// The calling thread has taken the lock below: it has this one, so often. Needs the GIL; never blocks.
static inline void rlock_own(mp_obj_thread_rlock_t *self, uint32_t count) {
    self->count = count;
    self->owner = gil_current->ident;
}

#endif // MODTHREAD_RLOCK_H
