// This file is part of modthread. SPDX-License-Identifier: MIT
//
// FreeRTOS on one core; see kernel.h.

#ifndef MODTHREAD_KERNEL_FREERTOS_H
#define MODTHREAD_KERNEL_FREERTOS_H

#include "FreeRTOS.h"
#include "task.h"

#include "kernel_freertos_common.h"

#define KERNEL_HAS_HEAP (0)

#ifdef __arm__

// Two instructions, while the kernel's own for some of these chips are a function.
static inline uint32_t kernel_lock(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) : : "memory");
    return state;
}

static inline void kernel_unlock(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

static inline bool kernel_interrupts_disabled(void) {
    uint32_t primask;
    __asm volatile ("mrs %0, primask" : "=r" (primask));
    return primask != 0;
}

#else

// The macros of some of FreeRTOS's ports do not say that they clobber memory.
static inline void kernel_barrier(void) {
    __asm volatile ("" : : : "memory");
}

static inline uint32_t kernel_lock(void) {
    uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
    kernel_barrier();
    return state;
}

static inline void kernel_unlock(uint32_t state) {
    kernel_barrier();
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
}

static inline bool kernel_interrupts_disabled(void) {
    return false;
}

#endif

static inline bool kernel_in_interrupt(void) {
    return xPortIsInsideInterrupt();
}

static inline void kernel_give(TaskHandle_t task) {
    kernel_give_from_interrupt(task);
}

static inline int kernel_current_core(void) {
    return 0;
}

static inline TaskHandle_t kernel_create(TaskFunction_t entry, void *argument, void *stack, size_t stack_size, StaticTask_t *tcb, int core) {
    (void)core;
    return xTaskCreateStatic(entry, KERNEL_TASK_NAME, stack_size / sizeof(StackType_t), argument, MODTHREAD_TASK_PRIORITY, stack, tcb);
}

static inline void kernel_delete(TaskHandle_t task) {
    vTaskDelete(task);
}

#endif // MODTHREAD_KERNEL_FREERTOS_H
