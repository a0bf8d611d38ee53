// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the kernel asks of its application.

#include "FreeRTOS.h"
#include "task.h"

#include "py/mpthread.h"
#include "hardware/sync.h"

#include "crash.h"
#include "tick.h"

void vApplicationGetIdleTaskMemory(StaticTask_t **tcb, StackType_t **stack, uint32_t *stack_depth) {
    static StaticTask_t idle_tcb;
    static StackType_t idle_stack[configMINIMAL_STACK_SIZE];
    *tcb = &idle_tcb;
    *stack = idle_stack;
    *stack_depth = configMINIMAL_STACK_SIZE;
}

#if configNUMBER_OF_CORES > 1

void vApplicationIdleHook(void) {
    __wfi();
}

void vApplicationGetPassiveIdleTaskMemory(StaticTask_t **tcb, StackType_t **stack, uint32_t *stack_depth, BaseType_t index) {
    (void)index; // there is one
    static StaticTask_t idle_tcb;
    static StackType_t idle_stack[configMINIMAL_STACK_SIZE];
    *tcb = &idle_tcb;
    *stack = idle_stack;
    *stack_depth = configMINIMAL_STACK_SIZE;
}

void vApplicationPassiveIdleHook(void) {
    __wfi();
}

#else

// An interrupt may have brought what somebody waits for, as with MicroPython's own port. The tick does not.
void vApplicationIdleHook(void) {
    uint32_t before = kernel_tick_interrupts;
    __wfi();
    if (kernel_tick_interrupts == before) {
        mp_thread_notify();
    }
}

#endif

void vApplicationStackOverflowHook(TaskHandle_t task, char *name) {
    uint32_t ident = mp_thread_ident_of_task(task);
    if (ident == 0) {
        crash("stack overflow in task %s", name);
    }
    mp_thread_stack_overflow(ident);
}

void mp_thread_stack_overflow(uint32_t ident) {
    crash("stack overflow in thread %u", (unsigned)ident);
}
