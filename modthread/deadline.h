// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The end of a wait. The kernel counts whole ticks, and its first and last are cut short, so the microsecond clock has the
// last word: a wait never ends early, and ends within a tick of its time.

#ifndef MODTHREAD_DEADLINE_H
#define MODTHREAD_DEADLINE_H

#include "kernel.h"

typedef struct _deadline_t {
    TickType_t start;
    TickType_t ticks; // KERNEL_FOREVER: never
    uint32_t end_us; // of a clock that wraps: compared only when the ticks are over
} deadline_t;

// The longest time, in seconds: what half the range of the kernel's ticks holds.
#define DEADLINE_SECONDS_MAX (INT32_MAX / KERNEL_TICK_HZ)

extern const deadline_t deadline_never;

deadline_t deadline_after_us(uint64_t us);

// How many ticks to wait until it is worth asking again; 0 if the time has passed.
TickType_t deadline_left(const deadline_t *deadline);

#endif // MODTHREAD_DEADLINE_H
