// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Espressif's FreeRTOS, on one core or two; see kernel.h.

#ifndef MODTHREAD_KERNEL_ESP_IDF_H
#define MODTHREAD_KERNEL_ESP_IDF_H

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "freertos/idf_additions.h"
#include "esp_heap_caps.h"

#include "kernel_freertos_common.h"

// The external RAM, where MicroPython's heap may be, is out of reach while flash is written.
#define KERNEL_HAS_HEAP (1)

// A task that gives way waits until it is switched, unless its kernel knows that it is in a critical section
// (portable/riscv/port.c): so masking interrupts will not do, with one core neither.
extern portMUX_TYPE mp_thread_spinlock;

static inline uint32_t kernel_lock(void) {
    portENTER_CRITICAL_SAFE(&mp_thread_spinlock);
    return 0;
}

static inline void kernel_unlock(uint32_t state) {
    (void)state;
    portEXIT_CRITICAL_SAFE(&mp_thread_spinlock);
}

static inline bool kernel_interrupts_disabled(void) {
    return !xPortCanYield();
}

static inline bool kernel_in_interrupt(void) {
    return xPortInIsrContext();
}

static inline void kernel_give(TaskHandle_t task) {
    if (xPortInIsrContext()) {
        kernel_give_from_interrupt(task);
    } else {
        xTaskNotifyGive(task); // in a task the other call would leave a switch pending for the next interrupt
    }
}

static inline int kernel_current_core(void) {
    return xPortGetCoreID();
}

static inline TaskHandle_t kernel_create(TaskFunction_t entry, void *argument, void *stack, size_t stack_size, StaticTask_t *tcb, int core) {
    return xTaskCreateStaticPinnedToCore(entry, KERNEL_TASK_NAME, stack_size, argument, MODTHREAD_TASK_PRIORITY, stack, tcb,
        core == KERNEL_ANY_CORE ? tskNO_AFFINITY : core);
}

static inline void *kernel_malloc(size_t size) {
    return heap_caps_malloc(size, MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT);
}

static inline void kernel_free(void *block) {
    heap_caps_free(block);
}

static inline bool kernel_can_run_in(const void *block) {
    return xPortcheckValidStackMem(block) && xPortCheckValidTCBMem(block);
}

static inline void kernel_delete(TaskHandle_t task) {
    #if KERNEL_CORES > 1
    // One that still runs on another core would be left to the idle task.
    vTaskSuspend(task);
    for (BaseType_t core = 0; core < KERNEL_CORES; core++) {
        while (xTaskGetCurrentTaskHandleForCore(core) == task) {
        }
    }
    #endif
    vTaskDelete(task);
}

#endif // MODTHREAD_KERNEL_ESP_IDF_H
