// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mphal.h"

#include "deadline.h"

#define US_PER_TICK (1000000 / KERNEL_TICK_HZ)

const deadline_t deadline_never = { .ticks = KERNEL_FOREVER };

// Rounded up. A division of 64 bits takes hundreds of instructions, and most waits are shorter than an hour.
static TickType_t ticks_from_us(uint64_t us) {
    us += US_PER_TICK - 1;
    return us <= UINT32_MAX ? (uint32_t)us / US_PER_TICK : us / US_PER_TICK;
}

deadline_t deadline_after_us(uint64_t us) {
    deadline_t deadline = {
        .start = kernel_ticks(),
        .ticks = ticks_from_us(us),
        .end_us = (uint32_t)mp_hal_ticks_us() + (uint32_t)us,
    };
    return deadline;
}

TickType_t deadline_left(const deadline_t *deadline) {
    if (deadline->ticks == KERNEL_FOREVER) {
        return KERNEL_FOREVER;
    }
    TickType_t elapsed = kernel_ticks() - deadline->start;
    if (elapsed < deadline->ticks) {
        return deadline->ticks - elapsed;
    }
    if (elapsed > deadline->ticks) {
        return 0; // the first one was not a whole one
    }
    return (int32_t)((uint32_t)mp_hal_ticks_us() - deadline->end_us) >= 0 ? 0 : 1;
}
