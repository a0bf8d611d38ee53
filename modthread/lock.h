// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_LOCK_H
#define MODTHREAD_LOCK_H

#include "py/obj.h"

// The longest timeout of Lock.acquire(), in seconds: what half the range of the kernel's ticks holds.
#define LOCK_TIMEOUT_MAX (INT32_MAX / configTICK_RATE_HZ)

extern const mp_obj_type_t mp_type_thread_lock;

// A new lock, unlocked; one GC block. Needs the GIL. Raises MemoryError.
mp_obj_t lock_new(void);

#endif // MODTHREAD_LOCK_H
