// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The service task, above all Python threads: it does what drivers have to do, and has a lock in common with the threads.
//
// Who has the lock has the GIL as well and keeps it, or is the service task, which never waits for the GIL: so nobody waits
// for the lock while its owner waits. And nothing of Python happens in the service task: no callback, no allocation, no
// printing, no exception.

#ifndef MODTHREAD_CORTEX_M_SERVICE_H
#define MODTHREAD_CORTEX_M_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "modthread/kernel.h"
#include "floats.h"

#if MICROPY_PY_LWIP
#define SERVICE_STACK_WORDS (768 + FLOATS_SIZE / 4) // TCP takes 1.1 KiB, mDNS 1.7 KiB
#else
#define SERVICE_STACK_WORDS (256 + FLOATS_SIZE / 4)
#endif
extern uint32_t service_stack[SERVICE_STACK_WORDS];

// Create the task, of that name.
void service_start(const char *name);

// Something is to be done. From tasks and interrupts, with or without the GIL; never blocks.
void service_notify(void);

// Get the lock, and give it back. Nestable. From the task that owns the GIL, or the service task; may wait for what
// another core's service task does.
void service_lock(void);
void service_unlock(void);

// The calling task has the lock. For assertions.
bool service_is_locked_here(void);

// A port provides these. In the service task, the first one with the lock: do what is to be done. They return after how
// many ticks they want to be called again if nothing happens before.
TickType_t service_run_locked(void);
TickType_t service_run(void);

#endif // MODTHREAD_CORTEX_M_SERVICE_H
