// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What py/mpthread.h wants to know of its port: name this file in MICROPY_MPTHREADPORT_H.

#ifndef MODTHREAD_MPTHREADPORT_H
#define MODTHREAD_MPTHREADPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The one mutex that MicroPython's core has when there is a GIL is the GIL, and ours lives in gil.c.
typedef struct _mp_thread_mutex_t {
    uint8_t unused;
} mp_thread_mutex_t;

// The state of the thread that runs Python is always in mp_state_ctx.thread: gil.c moves it there when the GIL
// changes hands. So MP_STATE_THREAD() is a constant address, as cheap as in a firmware without threads.
extern struct _mp_state_ctx_t mp_state_ctx;
static inline struct _mp_state_thread_t *mp_thread_get_state(void) {
    return (struct _mp_state_thread_t *)&mp_state_ctx;
}

// For a port's main program. Each is called by the main task with the GIL held (init: before mp_init()).

// Make the calling task the main thread; stack is the lowest address of its stack.
void mp_thread_init_main(void *stack);
// Call pyexec_friendly_repl() or pyexec_raw_repl(): an exception that comes while it waits for input, as the SystemExit of
// a thread that calls machine.soft_reset(), ends it. Returns what it returns; if a soft reset begins with that, every other
// thread has ended. It takes so many bytes of the main thread's stack, which a port adds to the limit.
#define MP_THREAD_RUN_REPL_STACK (32)
int mp_thread_run_repl(int (*repl)(void));
// End every other thread: ask them to leave, then delete what remains. Blocks for at most a fifth of a second, or as the
// port says for C code outside.
void mp_thread_deinit(void);
// Trace the roots of all threads but the calling one; between gc_collect_start() and gc_collect_end().
void mp_thread_gc_others(void);

// For a port's interrupts.

// Call from the tick interrupt; with several cores not in the kernel's tick hook, which holds one of its locks.
void mp_thread_tick(void);
// Threads compute, and leave nothing to tasks of lower priority: whoever owns the GIL is to keep it and sleep, for up to two
// ticks, so that all of Python pauses. From interrupts; never blocks.
void mp_thread_pause(void);
// Those tasks have done their work: end the pause, if there is one. From tasks and interrupts; never blocks.
void mp_thread_end_pause(void);
// Something happened that a thread in mp_event_wait_ms() may wait for (a character came, a transfer ended).
// From interrupts and tasks, with or without the GIL; never blocks.
void mp_thread_notify(void);

// The time that mp_thread_set_alarm() named may have come: if so, let those threads go on that wait for it. Calls
// mp_thread_set_alarm() again in any case. Call it too when the alarm may have been missed, after the processor has slept. From
// tasks and interrupts; never blocks.
void mp_thread_alarm(void);

// For a port whose tick lets compiled code attend to what is pending. In the tick interrupt: true if the task that it has
// interrupted owns the GIL, and something is pending for it. Then, by that task: let other threads and callbacks run, and
// raise what is to be raised, if that may be here.
bool mp_thread_has_work(void);
void mp_thread_attend(bool may_raise);

// For a port's waiting functions.

// Sleep without the GIL. In the main thread callbacks run meanwhile, and exceptions end it. Never returns early.
void mp_thread_delay_ms(uint32_t ms);
// The same for microseconds. Short times are spent looking at the clock, with the GIL; times below a millisecond are not
// ended by an exception, and no callback runs meanwhile.
void mp_thread_delay_us(uint32_t us);
// Wait for mp_thread_notify(). In the main thread callbacks run meanwhile, and exceptions end it. May return early.
void mp_thread_wait_for_notify(void);
// True if another thread waits for the GIL.
bool mp_thread_gil_contended(void);
// In a loop that waits busily with the GIL held: let other threads run if it is their turn. Raises nothing.
void mp_thread_give_way(void);

// For a driver's task that calls Python, with mp_sched_lock(), where the port defines MODTHREAD_GUESTS: get the GIL, and
// the state of a thread with this stack, of which so many bytes may be used; give it up. One such task at a time.
void mp_thread_enter_guest(void *stack_top, size_t stack_size);
void mp_thread_leave_guest(void);

// The identifier of the thread that runs on a task, 0 if that is none of ours. For messages.
uint32_t mp_thread_ident_of_task(const void *task);

// A port provides this: microseconds since some time before mp_thread_init_main(), which never wrap or go back. From
// tasks and interrupts; never blocks.
uint64_t mp_thread_time_us(void);

// A port provides this: call mp_thread_alarm() from an interrupt at that time of this clock, or at once where it is past, and
// no longer at the time that was named before. UINT64_MAX is never. A port that calls mp_thread_alarm() in each tick
// has nothing to do here. In a critical section; never blocks.
void mp_thread_set_alarm(uint64_t us);

// A port with several cores provides these, for hard interrupt handlers written in Python, which use the state of the
// thread that owns the GIL: stop the other cores wherever they are, and let them go on. From interrupts; nestable.
void mp_thread_stop_others(void);
void mp_thread_continue_others(void);

// A port provides this: report that a thread's stack has overflowed and restart the board.
__attribute__((noreturn)) void mp_thread_stack_overflow(uint32_t ident);

#endif // MODTHREAD_MPTHREADPORT_H
