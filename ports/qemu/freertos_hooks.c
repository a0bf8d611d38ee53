// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the kernel asks of its application.

#include "FreeRTOS.h"
#include "task.h"

#include "py/mpthread.h"

#include "ports/cortex_m/guard.h"
#include "startup.h"

void vApplicationGetIdleTaskMemory(StaticTask_t **tcb, StackType_t **stack, uint32_t *stack_depth) {
    static StaticTask_t idle_tcb;
    static StackType_t idle_stack[configMINIMAL_STACK_SIZE];
    *tcb = &idle_tcb;
    *stack = idle_stack;
    *stack_depth = configMINIMAL_STACK_SIZE;
}

void vApplicationIdleHook(void) {
    __asm volatile ("wfi");
}

void vApplicationTickHook(void) {
    const char *overflowed = guard_overflowed();
    if (overflowed != NULL) {
        port_crash("stack overflow in %s", overflowed);
    }
    mp_thread_tick();
}

void vApplicationStackOverflowHook(TaskHandle_t task, char *name) {
    (void)name;
    mp_thread_stack_overflow(mp_thread_ident_of_task(task));
}

void mp_thread_stack_overflow(uint32_t ident) {
    port_crash("stack overflow in thread %u", (unsigned)ident);
}
