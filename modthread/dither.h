// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_DITHER_H
#define MODTHREAD_DITHER_H

#include <stdint.h>

#define DITHER_MASK (0x7f)

// A loop of compiled code may be in step with the tick, and be interrupted at the same instruction each time, or in the same
// C function: wait for a while of another length each time. From the tick's interrupt; it is where its caller is, in fast
// memory, too.
static inline __attribute__((always_inline)) void dither(void) {
    static uint32_t random = 1;
    random = random * 1664525 + 1013904223;
    for (volatile uint32_t i = (random >> 16) & DITHER_MASK; i != 0; i--) {
    }
}

#endif // MODTHREAD_DITHER_H
