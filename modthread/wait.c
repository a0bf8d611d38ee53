// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Waits for an event, and delays. They take the place of those of py/scheduler.c and of a port's mphalport.c: the GIL is
// released meanwhile, callbacks run in the main thread, and exceptions end the wait.

#include "py/mphal.h"
#include "py/runtime.h"

#include "gil.h"
#include "scheduler.h"

// A sleep that is shorter is spent looking at the clock: to park would take about as long.
#ifndef MODTHREAD_PARK_MIN_US
#define MODTHREAD_PARK_MIN_US (100)
#endif

// How long it takes at most from the alarm to the thread that waits for it, where nobody keeps the GIL.
#ifndef MODTHREAD_WAKE_US
#define MODTHREAD_WAKE_US (40)
#endif

static void wait_for_event(deadline_t deadline) {
    mp_event_handle_nowait();
    if (!scheduler_is_locked()) {
        scheduler_unlock_and_park(deadline, kernel_lock(), true);
    }
}

// Nothing tells of all that may be waited for here: what another thread does to a Python object (a stream written in
// Python in select.poll(), as asyncio.ThreadSafeFlag is), or an interrupt without Python that fills a driver's buffer. Look
// again now and then.
#define LOOK_AGAIN_MS (5)

void mp_event_wait_indefinite(void) {
    mp_event_wait_ms(LOOK_AGAIN_MS);
}

void mp_thread_wait_for_notify(void) {
    wait_for_event(DEADLINE_NEVER);
}

void mp_event_wait_ms(mp_uint_t timeout_ms) {
    wait_for_event(deadline_after_us(MIN(timeout_ms, LOOK_AGAIN_MS) * 1000));
}

// Nothing may wait here, in a hard interrupt handler or with interrupts off: then the time is spent looking at the clock.
static void delay_until(deadline_t deadline) {
    for (;;) {
        mp_event_handle_nowait();
        if (deadline_passed(deadline)) {
            return;
        }
        if (!scheduler_is_locked()) {
            scheduler_unlock_and_park(deadline, kernel_lock(), false);
        }
    }
}

void mp_thread_delay_ms(uint32_t ms) {
    if (ms == 0 && mp_thread_gil_contended() && !scheduler_is_locked()) {
        gil_park(DEADLINE_NOW);
    }
    delay_until(deadline_after_us((uint64_t)ms * 1000));
}

// What a thread is awake too early for is spent looking at the clock, so that a sleep ends to the microsecond.
void mp_thread_delay_us(uint32_t us) {
    deadline_t deadline = deadline_after_us(us);
    if (us >= 1000) {
        delay_until(deadline - MODTHREAD_WAKE_US);
    } else if (us >= MODTHREAD_PARK_MIN_US && gil_pins == 0 && !scheduler_is_locked()) {
        gil_park(deadline - MODTHREAD_WAKE_US);
    }
    while (!deadline_passed(deadline)) {
        mp_thread_give_way();
    }
}
