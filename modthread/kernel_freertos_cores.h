// This file is part of modthread. SPDX-License-Identifier: MIT
//
// FreeRTOS on several cores, V11; see kernel.h.

#ifndef MODTHREAD_KERNEL_FREERTOS_CORES_H
#define MODTHREAD_KERNEL_FREERTOS_CORES_H

#include "FreeRTOS.h"
#include "task.h"

#include "kernel_interrupt_mask.h"
#include "kernel_freertos_common.h"

#define KERNEL_HAS_HEAP (0)

// A port provides them: they mask this core's interrupts and keep the other cores out.
uint32_t mp_thread_lock_cores(void);
void mp_thread_unlock_cores(uint32_t state);

static inline uint32_t kernel_lock(void) {
    return mp_thread_lock_cores();
}

static inline void kernel_unlock(uint32_t state) {
    mp_thread_unlock_cores(state);
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
    return portGET_CORE_ID();
}

static inline TaskHandle_t kernel_create(TaskFunction_t entry, void *argument, void *stack, size_t stack_size, StaticTask_t *tcb, int core) {
    return xTaskCreateStaticAffinitySet(entry, KERNEL_TASK_NAME, stack_size / sizeof(StackType_t), argument, MODTHREAD_TASK_PRIORITY, stack, tcb,
        core == KERNEL_ANY_CORE ? tskNO_AFFINITY : 1 << core);
}

// One that still runs on another core would be left to the idle task.
static inline void kernel_delete(TaskHandle_t task) {
    vTaskSuspend(task);
    for (BaseType_t core = 0; core < configNUMBER_OF_CORES; core++) {
        while (xTaskGetCurrentTaskHandleForCore(core) == task) {
        }
    }
    vTaskDelete(task);
}

#endif // MODTHREAD_KERNEL_FREERTOS_CORES_H
