// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What all kernels of the FreeRTOS family do alike; see kernel.h.

#ifndef MODTHREAD_KERNEL_FREERTOS_COMMON_H
#define MODTHREAD_KERNEL_FREERTOS_COMMON_H

#if !INCLUDE_vTaskSuspend || !INCLUDE_vTaskDelete || !INCLUDE_xTaskGetCurrentTaskHandle
#error modthread needs INCLUDE_vTaskSuspend, INCLUDE_vTaskDelete and INCLUDE_xTaskGetCurrentTaskHandle in FreeRTOSConfig.h
#endif
#if !configSUPPORT_STATIC_ALLOCATION || !configUSE_TASK_NOTIFICATIONS || !configUSE_PREEMPTION || !configUSE_TIME_SLICING
#error modthread needs static allocation, task notifications, preemption and time slicing in FreeRTOSConfig.h
#endif

// Python threads share one priority: above idle, below the port's service tasks.
#ifndef MODTHREAD_TASK_PRIORITY
#define MODTHREAD_TASK_PRIORITY (tskIDLE_PRIORITY + 1)
#endif

#ifndef configNUMBER_OF_CORES // as in kernels that know of one only
#define configNUMBER_OF_CORES (1)
#endif

#define KERNEL_NAME "FreeRTOS " tskKERNEL_VERSION_NUMBER
#define KERNEL_TICK_HZ (configTICK_RATE_HZ)
#define KERNEL_CORES (configNUMBER_OF_CORES)

// With its stricter check, and on the ESP32, the kernel has a pattern in the lowest words of a stack.
#if defined(ESP_PLATFORM) || configCHECK_FOR_STACK_OVERFLOW > 1
#define KERNEL_STACK_OFFSET (96)
#else
#define KERNEL_STACK_OFFSET (0)
#endif

// Needs INCLUDE_vTaskSuspend: without it the kernel takes portMAX_DELAY for a finite time.
#define KERNEL_FOREVER (portMAX_DELAY)

// The task's own binary semaphore is a direct-to-task notification, which FreeRTOS documents as a binary semaphore that
// costs no memory.
static inline void kernel_give_from_interrupt(TaskHandle_t task) {
    BaseType_t woken = pdFALSE;
    vTaskNotifyGiveFromISR(task, &woken);
    portYIELD_FROM_ISR(woken);
}

static inline void kernel_take(TickType_t ticks) {
    ulTaskNotifyTake(pdTRUE, ticks);
}

static inline TickType_t kernel_ticks(void) {
    return xTaskGetTickCount();
}

static inline TaskHandle_t kernel_current_task(void) {
    return xTaskGetCurrentTaskHandle();
}

static inline const char *kernel_task_name(TaskHandle_t task) {
    return pcTaskGetName(task);
}

#endif // MODTHREAD_KERNEL_FREERTOS_COMMON_H
