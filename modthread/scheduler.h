// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Pending exceptions and callbacks; the part of py/scheduler.c's interface that is ours alone.

#ifndef MODTHREAD_SCHEDULER_H
#define MODTHREAD_SCHEDULER_H

#include "deadline.h"
#include "thread.h"

// Tell the VM whether the thread that runs has something to attend to. In a critical section.
void scheduler_update(void);

// True in a hard interrupt handler, a finaliser, or with interrupts disabled: there nothing may wait or switch threads.
bool scheduler_is_locked(void);

// The last pin has been taken out: what waited for that has its turn. Needs the GIL.
void scheduler_unpinned(void);

// True while the main thread is in a callback, which may wait there. Needs the GIL.
bool scheduler_runs_callbacks(void);

// True if an exception that is pending does not have to wait until a callback ends. Needs the GIL.
bool scheduler_may_raise(void);

// True if an exception is pending for the calling thread, and is to be raised now. Needs the GIL.
static inline bool scheduler_exception_pending(void) {
    return mp_state_ctx.thread.mp_pending_exception != MP_OBJ_NULL && scheduler_may_raise();
}

// gil_unlock_and_park() for who calls mp_handle_pending() before parking again: at once if something is pending already.
void scheduler_unlock_and_park(deadline_t deadline, uint32_t state, bool event);

// From mp_thread_tick(), in a critical section.
void scheduler_tick(void);

// What a program may have left behind: as before the first one.
void scheduler_reset(void);

// Make an exception pending for a thread and end its wait. From tasks and interrupts; never blocks.
void scheduler_raise(thread_t *thread, mp_obj_t exception);

#endif // MODTHREAD_SCHEDULER_H
