// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_LOCK_H
#define MODTHREAD_LOCK_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_lock;

// A new lock, unlocked; one GC block. Needs the GIL. Raises MemoryError.
mp_obj_t lock_new(void);

// Raise TypeError if the lock's type is among the bases of a new class, as MicroPython does for types without a constructor.
void lock_refuse_as_base(mp_obj_t bases);

// A soft reset is about to delete all other threads: from now on nobody waits for a lock, whatever an interrupt releases.
void lock_reset(void);

#endif // MODTHREAD_LOCK_H
