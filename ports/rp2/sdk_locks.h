// This file is part of modthread. SPDX-License-Identifier: MIT
//
// pico-sdk's mutexes and semaphores between tasks: it includes this file everywhere (PICO_CONFIG_RTOS_ADAPTER_HEADER), and
// pico/lock_core.h leaves these macros to such a header. Without it a task would take a lock that another task of the same
// core has for its own, or wait for it with the core to itself. They are contended seldom, and then for a short time: to
// look again at the next tick will do.

#ifndef MODTHREAD_RP2_SDK_LOCKS_H
#define MODTHREAD_RP2_SDK_LOCKS_H

#ifndef __ASSEMBLER__

#include <stdint.h>

// The task that runs; 0 before the scheduler starts.
uint32_t sdk_lock_owner(void);

// Let other tasks run until the next tick. Returns at once where nothing may wait.
void sdk_lock_wait(void);

#define lock_owner_id_t uint32_t
#define LOCK_INVALID_OWNER_ID (UINT32_MAX)
#define lock_get_caller_owner_id() sdk_lock_owner()

#define lock_internal_spin_unlock_with_wait(lock, save) (spin_unlock((lock)->spin_lock, save), sdk_lock_wait())
#define lock_internal_spin_unlock_with_notify(lock, save) spin_unlock((lock)->spin_lock, save)
#define lock_internal_spin_unlock_with_best_effort_wait_or_timeout(lock, save, until) \
    (spin_unlock((lock)->spin_lock, save), sdk_lock_wait(), time_reached(until))

#endif // __ASSEMBLER__

#endif // MODTHREAD_RP2_SDK_LOCKS_H
