// This file is part of modthread. SPDX-License-Identifier: MIT
//
// A recording of what threads do, for a timeline. Only a firmware that is built with MODTHREAD_TRACE=1 has it; in every
// other one these macros are nothing.

#ifndef MODTHREAD_TRACE_H
#define MODTHREAD_TRACE_H

#include "py/obj.h"

#ifndef MODTHREAD_TRACE
#define MODTHREAD_TRACE (0)
#endif

// How many events of threads are kept, the last ones, and as many of tasks; 16 bytes each.
#ifndef MODTHREAD_TRACE_EVENTS
#define MODTHREAD_TRACE_EVENTS (1024)
#endif

#if MODTHREAD_TRACE

struct _thread_t;

// What the recording needs to know of a thread.
typedef struct _trace_thread_t {
    const void *lock; // for which it waits
    uint16_t name; // of its function: a qstr, which has 16 bits wherever MicroPython stores one
    uint8_t state; // the last one that was recorded, see trace.c
} trace_thread_t;

// Record the status that a thread has got. In a critical section.
void trace_status(struct _thread_t *thread);

// Name a thread after its function. Needs the GIL.
void trace_name(struct _thread_t *thread, mp_obj_t function);

// Drop everything, and record from now on.
void trace_clear(void);

// From the kernel's traceTASK_SWITCHED_IN(), which a port's FreeRTOSConfig.h defines so.
void trace_task_switched_in(void);

// Take out the oldest event, or None if there is no other: those of threads, (microseconds, ident, function, state before,
// state, lock), then those of tasks, (microseconds, ident, name, "new", "task", core), whose ident is 0 if it is no
// thread's. The first call ends the recording, with an event of each thread. Needs the GIL.
mp_obj_t trace_take(void);

#define TRACE_STATUS(thread) trace_status(thread)
#define TRACE_LOCK(thread, awaited) ((thread)->trace.lock = (awaited))
#define TRACE_NAME(thread, function) trace_name(thread, function)
#define TRACE_CLEAR() trace_clear()
#define TRACE_VERSION "-trace" // it is another firmware

#else

#define TRACE_STATUS(thread)
#define TRACE_LOCK(thread, awaited)
#define TRACE_NAME(thread, function)
#define TRACE_CLEAR()
#define TRACE_VERSION ""

#endif

#endif // MODTHREAD_TRACE_H
