// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What is static in modthread's files, for who checks it: observe_gil.c and observe_lock.c include the files as they are.

#ifndef MODTHREAD_INTERLEAVINGS_OBSERVE_H
#define MODTHREAD_INTERLEAVINGS_OBSERVE_H

#include "modthread/thread.h"

#define OBSERVER __attribute__((no_sanitize("thread")))

// Each of these returns what is wrong, or NULL; nobody may be in a critical section.
const char *observe_gil(void);
const char *observe_lock(mp_obj_t lock);

// Also that nobody owns or wants the GIL but the main thread.
const char *observe_gil_at_the_end(void);

// True if the task is that of the GIL's owner, whose state is where MicroPython looks for it.
bool observe_task_owns_gil(const StaticTask_t *task);

// The identifier of the n-th thread that waits for the lock, from 0; 0 if there is none.
uint32_t observe_waiter(mp_obj_t lock, size_t n);

#endif // MODTHREAD_INTERLEAVINGS_OBSERVE_H
