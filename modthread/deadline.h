// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The end of a wait, in microseconds of a clock that goes on while the processor sleeps or interrupts are masked.

#ifndef MODTHREAD_DEADLINE_H
#define MODTHREAD_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

// A time of mp_thread_time_us().
typedef uint64_t deadline_t;
#define DEADLINE_NEVER (UINT64_MAX)
#define DEADLINE_NOW (0) // a turn for the others

// The longest time, in seconds.
#define DEADLINE_SECONDS_MAX (INT32_MAX / 1000)

deadline_t deadline_after_us(uint64_t us);

bool deadline_is_past(deadline_t deadline);

// A wait without an end, as most are for locks, reads no clock.
static inline bool deadline_passed(deadline_t deadline) {
    return deadline != DEADLINE_NEVER && deadline_is_past(deadline);
}

#endif // MODTHREAD_DEADLINE_H
