// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The mask of all interrupts of a Cortex-M (Arm DDI 0419, B1.4.3), saved and restored. Nestable, from tasks and interrupts
// alike.

#ifndef MODTHREAD_INTERRUPT_MASK_ARM_H
#define MODTHREAD_INTERRUPT_MASK_ARM_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t interrupt_mask_save(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) : : "memory");
    return state;
}

static inline void interrupt_mask_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

static inline bool interrupt_mask_is_set(void) {
    uint32_t primask;
    __asm volatile ("mrs %0, primask" : "=r" (primask));
    return primask != 0;
}

#endif // MODTHREAD_INTERRUPT_MASK_ARM_H
