// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mpthread.h"

#include "deadline.h"

#define US_PER_TICK (1000000 / KERNEL_TICK_HZ)

deadline_t deadline_after_us(uint64_t us) {
    return mp_thread_time_us() + us;
}

bool deadline_is_past(deadline_t deadline) {
    return mp_thread_time_us() >= deadline;
}

// Rounded up, for the first tick is cut short. A division of 64 bits takes hundreds of instructions: look once an hour.
TickType_t deadline_ticks(deadline_t deadline) {
    if (deadline == DEADLINE_NEVER) {
        return KERNEL_FOREVER;
    }
    uint64_t now = mp_thread_time_us();
    if (now >= deadline) {
        return 0;
    }
    uint64_t left = deadline - now;
    return left > UINT32_MAX ? UINT32_MAX / US_PER_TICK : (uint32_t)(left - 1) / US_PER_TICK + 1;
}
