// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The few operations modthread needs from FreeRTOS, and the few differences between kernels.
// Nothing else in modthread/ calls the kernel.

#ifndef MODTHREAD_KERNEL_H
#define MODTHREAD_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef ESP_PLATFORM // Espressif's kernel
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "freertos/idf_additions.h"
#include "esp_heap_caps.h"
#else
#include "FreeRTOS.h"
#include "task.h"
#endif

// Python threads share one priority: above idle, below the port's service tasks.
#ifndef MODTHREAD_TASK_PRIORITY
#define MODTHREAD_TASK_PRIORITY (tskIDLE_PRIORITY + 1)
#endif

// Wait without a limit. Needs INCLUDE_vTaskSuspend: without it the kernel takes portMAX_DELAY for a finite time.
#define KERNEL_FOREVER (portMAX_DELAY)

#ifndef configNUMBER_OF_CORES // as in kernels that know of one only
#define configNUMBER_OF_CORES (1)
#endif

// Where a task may run: on the core of that number, or on any.
#define KERNEL_ANY_CORE (-1)

#if !INCLUDE_vTaskSuspend || !INCLUDE_vTaskDelete || !INCLUDE_xTaskGetCurrentTaskHandle
#error modthread needs INCLUDE_vTaskSuspend, INCLUDE_vTaskDelete and INCLUDE_xTaskGetCurrentTaskHandle in FreeRTOSConfig.h
#endif
#if !configSUPPORT_STATIC_ALLOCATION || !configUSE_TASK_NOTIFICATIONS || !configUSE_PREEMPTION || !configUSE_TIME_SLICING
#error modthread needs static allocation, task notifications, preemption and time slicing in FreeRTOSConfig.h
#endif

// Keep the compiler from moving memory accesses out of a critical section: the macros of V9.0.0's ARM_CM3 port do not
// say that they clobber memory (portmacro.h).
static inline void kernel_barrier(void) {
    __asm volatile ("" : : : "memory");
}

// Enter a critical section of a few instructions; from tasks and interrupts alike, and nestable.
// Call no kernel function inside but kernel_give(). Returns what kernel_unlock() restores.
#ifdef ESP_PLATFORM

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

#elif configNUMBER_OF_CORES > 1

// A port with several cores provides them: they mask this core's interrupts and keep the other cores out.
uint32_t mp_thread_lock_cores(void);
void mp_thread_unlock_cores(uint32_t state);

static inline uint32_t kernel_lock(void) {
    return mp_thread_lock_cores();
}

static inline void kernel_unlock(uint32_t state) {
    mp_thread_unlock_cores(state);
}

#elif defined(__arm__)

// Two instructions, while the kernel's own for some of these chips are a function.
static inline uint32_t kernel_lock(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n cpsid i" : "=r" (state) : : "memory");
    return state;
}

static inline void kernel_unlock(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

#else

static inline uint32_t kernel_lock(void) {
    uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
    kernel_barrier();
    return state;
}

static inline void kernel_unlock(uint32_t state) {
    kernel_barrier();
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
}

#endif

// True where a wait would never end: the interpreter has switched interrupts off (machine.disable_irq()).
static inline bool kernel_interrupts_disabled(void) {
    #if defined(__arm__)
    uint32_t primask;
    __asm volatile ("mrs %0, primask" : "=r" (primask));
    return primask != 0;
    #elif defined(ESP_PLATFORM)
    return !xPortCanYield();
    #else
    return false;
    #endif
}

// Give the task's own binary semaphore: a direct-to-task notification, which FreeRTOS documents as a binary
// semaphore that costs no memory. In a critical section, of tasks and interrupts alike; never blocks.
// A task that is given its semaphore in the critical section in which it becomes ready cannot be deleted before.
static inline void kernel_give(TaskHandle_t task) {
    #ifdef ESP_PLATFORM
    if (!xPortInIsrContext()) {
        xTaskNotifyGive(task); // in a task the other call would leave a switch pending for the next interrupt
        return;
    }
    #endif
    BaseType_t woken = pdFALSE;
    vTaskNotifyGiveFromISR(task, &woken);
    portYIELD_FROM_ISR(woken);
}

// Take the calling task's semaphore, waiting for at most that many ticks. A wait of n ticks lasts n-1 to n of them.
static inline void kernel_take(TickType_t ticks) {
    ulTaskNotifyTake(pdTRUE, ticks);
}

// Ticks since the kernel started; from a task.
static inline TickType_t kernel_ticks(void) {
    return xTaskGetTickCount();
}

// The name of all threads' tasks.
#define KERNEL_TASK_NAME "py"

// True in an interrupt.
static inline bool kernel_in_interrupt(void) {
    #ifdef ESP_PLATFORM
    return xPortInIsrContext();
    #else
    return xPortIsInsideInterrupt();
    #endif
}

static inline TaskHandle_t kernel_create(TaskFunction_t entry, void *argument, void *stack, size_t stack_size, StaticTask_t *tcb, int core) {
    #ifdef ESP_PLATFORM
    return xTaskCreateStaticPinnedToCore(entry, KERNEL_TASK_NAME, stack_size, argument, MODTHREAD_TASK_PRIORITY, stack, tcb,
        core == KERNEL_ANY_CORE ? tskNO_AFFINITY : core);
    #elif configNUMBER_OF_CORES > 1
    return xTaskCreateStaticAffinitySet(entry, KERNEL_TASK_NAME, stack_size / sizeof(StackType_t), argument, MODTHREAD_TASK_PRIORITY, stack, tcb,
        core == KERNEL_ANY_CORE ? tskNO_AFFINITY : 1 << core);
    #else
    (void)core;
    return xTaskCreateStatic(entry, KERNEL_TASK_NAME, stack_size / sizeof(StackType_t), argument, MODTHREAD_TASK_PRIORITY, stack, tcb);
    #endif
}

#ifdef ESP_PLATFORM

// Stacks, and what interrupts look at, must be in internal RAM, where MicroPython's heap need not be: the external one is
// out of reach while flash is written. It comes from the system's heap.
#define KERNEL_HAS_HEAP (1)

// The kernel looks for a pattern of its own in the lowest words of a stack: what others keep there lies below.
#define KERNEL_STACK_OFFSET (96)

static inline void *kernel_malloc(size_t size) {
    return heap_caps_malloc(size, MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT);
}

static inline void kernel_free(void *block) {
    heap_caps_free(block);
}

static inline bool kernel_can_run_in(const void *block) {
    return xPortcheckValidStackMem(block) && xPortCheckValidTCBMem(block);
}

#else
#define KERNEL_HAS_HEAP (0)
#define KERNEL_STACK_OFFSET (0)
#endif

// Delete another task. When this returns the kernel never touches its stack or TCB again.
static inline void kernel_delete(TaskHandle_t task) {
    #if configNUMBER_OF_CORES > 1
    // One that still runs on another core would be left to the idle task.
    vTaskSuspend(task);
    for (BaseType_t core = 0; core < configNUMBER_OF_CORES; core++) {
        while (xTaskGetCurrentTaskHandleForCore(core) == task) {
        }
    }
    #endif
    vTaskDelete(task);
}

#endif // MODTHREAD_KERNEL_H
