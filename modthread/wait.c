// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Waits for an event, and delays. They take the place of those of py/scheduler.c and of a port's mphalport.c: the GIL is
// released meanwhile, callbacks run in the main thread, and exceptions end the wait.

#include "py/mphal.h"
#include "py/runtime.h"

#include "gil.h"
#include "scheduler.h"

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
void mp_thread_delay_ms(uint32_t ms) {
    if (ms == 0 && mp_thread_gil_contended() && !scheduler_is_locked()) {
        gil_park(0);
    }
    deadline_t deadline = deadline_after_us((uint64_t)ms * 1000);
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

// Whole milliseconds are slept, the rest is spent looking at the clock; where other threads want to run it is slept, too.
void mp_thread_delay_us(uint32_t us) {
    uint32_t start = mp_hal_ticks_us();
    if (us >= 2000) {
        mp_thread_delay_ms(us / 1000 - 1);
    }
    while ((uint32_t)mp_hal_ticks_us() - start < us) {
        if (us >= 1000 && mp_thread_gil_contended() && !scheduler_is_locked()) {
            mp_thread_delay_ms(1);
        } else {
            mp_thread_give_way();
        }
    }
}
