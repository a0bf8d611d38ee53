// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The interrupt mask of the processor core that runs, saved and restored; for the kernels of the FreeRTOS family.

#ifndef MODTHREAD_KERNEL_INTERRUPT_MASK_H
#define MODTHREAD_KERNEL_INTERRUPT_MASK_H

#include "FreeRTOS.h"
#include "task.h"

#ifdef __arm__

// Two instructions, while the kernel's own for some of these chips are a function.
#include "interrupt_mask_arm.h"

#else

// The macros of some of FreeRTOS's ports do not say that they clobber memory.
static inline void interrupt_mask_barrier(void) {
    __asm volatile ("" : : : "memory");
}

static inline uint32_t interrupt_mask_save(void) {
    uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
    interrupt_mask_barrier();
    return state;
}

static inline void interrupt_mask_restore(uint32_t state) {
    interrupt_mask_barrier();
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
}

static inline bool interrupt_mask_is_set(void) {
    return false; // FreeRTOS does not tell
}

#endif

#endif // MODTHREAD_KERNEL_INTERRUPT_MASK_H
