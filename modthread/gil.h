// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The GIL, which is also the run queue of Python threads: a thread is either its owner, or ready in a queue for it,
// or waiting, or outside in C code that does not need it.

#ifndef MODTHREAD_GIL_H
#define MODTHREAD_GIL_H

#include "deadline.h"
#include "thread.h"

// How long a computing thread keeps the GIL while others compute, in microseconds. A soft reset goes back to the default.
extern uint32_t gil_switch_interval_us;
#define GIL_SWITCH_INTERVAL_DEFAULT_US (5000)
#define GIL_SWITCH_INTERVAL_MAX_S (1000) // the clock that measures it wraps

// The thread whose state is in mp_state_ctx.thread: the owner, or the last one if nobody owns the GIL. Only read it.
extern thread_t *gil_current;

// Where a thread's state is now.
static inline mp_state_thread_t *gil_state_of(thread_t *thread) {
    return thread == gil_current ? &mp_state_ctx.thread : &thread->state;
}

// How often its owner has pinned it (pin.h): then nobody else gets it. Whoever waits keeps it, and does not wait long.
extern uint16_t gil_pins;

// True if the owner should call gil_yield().
extern volatile bool gil_switch_requested;

// The calling task is the main thread, and owns the GIL.
void gil_init(void);

// Let other threads run, if it is their turn. Needs the GIL, which is not pinned; blocks until it is owned again.
void gil_yield(void);

// Release the GIL around C code that blocks. Nothing happens while it is pinned, or the scheduler locked, nor in a task that
// is no thread: ESP32's PPP reads its stream in one.
void gil_release(void);

// Get the GIL back; blocks. Nothing happens if the thread owns it, nor in a task that is no thread.
void gil_acquire(void);

// Release the GIL and wait until gil_wake() or the deadline; returns owning the GIL. May return early:
// what the caller waits for is for the caller to check.
void gil_park(deadline_t deadline);

// The same in a critical section, which it ends. With event set, mp_thread_notify() wakes it, too.
void gil_unlock_and_park(deadline_t deadline, uint32_t state, bool event);

// Wake a parked thread, and let one that is ready go before the computing ones. Any other one has to look, before it
// parks, for what it would wait for. From tasks and interrupts; never blocks.
void gil_wake(thread_t *thread);

// The same in a critical section.
void gil_wake_in_critical(thread_t *thread);

// Put a thread that has not run yet into the queue.
void gil_start(thread_t *thread);

// First thing in a thread's task: wait until it owns the GIL.
void gil_enter_first(thread_t *self);

// Give up the GIL, and all that the thread has to do with it.
void gil_leave(thread_t *self);

// Give up the GIL for good; returns when gil_start() was called for the thread again.
void gil_finish(thread_t *self);

// The thread's task has been deleted: take it out of the queue where it may be.
void gil_forget(thread_t *thread);

#endif // MODTHREAD_GIL_H
