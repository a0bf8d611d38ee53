// This file is part of modthread. SPDX-License-Identifier: MIT
//
// FreeRTOS on one core; see kernel.h.

#ifndef MODTHREAD_KERNEL_FREERTOS_H
#define MODTHREAD_KERNEL_FREERTOS_H

#include "FreeRTOS.h"
#include "task.h"

#include "kernel_interrupt_mask.h"
#include "kernel_freertos_common.h"

#define KERNEL_HAS_HEAP (0)

static inline uint32_t kernel_lock(void) {
    return interrupt_mask_save();
}

static inline void kernel_unlock(uint32_t state) {
    interrupt_mask_restore(state);
}

static inline bool kernel_interrupts_disabled(void) {
    return interrupt_mask_is_set();
}

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
