// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Starts the kernel; MicroPython's own main() is the main task. The linker calls __wrap_main() for it, see micropython.cmake.

#include "py/gc.h"
#include "py/mpstate.h"
#include "py/mpthread.h"

#include "FreeRTOS.h"
#include "task.h"

#include "pico.h"

#include "cores.h"
#include "stacks.h"
#include "modthread/kernel.h"
#include "../cortex_m/service.h"

uint32_t interrupt_stack[INTERRUPT_STACK_SIZE / sizeof(uint32_t)] __attribute__((aligned(8)));

const guarded_stack_t guarded_stacks[] = {
    { interrupt_stack, "interrupts" },
    { service_stack, "task service" },
    #if configNUMBER_OF_CORES > 1
    { core_1_stack, "interrupts of core 1" },
    #endif
    { 0 },
};

int __real_main(int argc, char **argv);

static void main_task(void *argument) {
    (void)argument;
    __real_main(0, NULL);
}

static void start_kernel(void) {
    static StaticTask_t main_tcb;
    guard_stacks();
    #if configNUMBER_OF_CORES > 1
    cores_init();
    #endif
    service_start("usb");
    xTaskCreateStatic(main_task, "main", main_stack_size / sizeof(StackType_t), NULL, MODTHREAD_TASK_PRIORITY,
        (StackType_t *)main_stack_bottom, &main_tcb);
    vTaskStartScheduler();
}

// Leave the stack that pico-sdk has started on: it becomes the main task's.
int __wrap_main(void) {
    // For who checks the image: MicroPython's linker script says it from 1.26 on only.
    __asm volatile (".global __modthread_flash_size__ \n .set __modthread_flash_size__, %c0" : : "i" (PICO_FLASH_SIZE_BYTES));
    __asm volatile (
        "msr msp, %0 \n"
        "isb         \n"
        "bx %1       \n"
        : : "r" (interrupt_stack + MP_ARRAY_SIZE(interrupt_stack)), "r" (start_kernel) : "memory");
    __builtin_unreachable();
}

int __real_pyexec_friendly_repl(void);
int __wrap_pyexec_friendly_repl(void) {
    return mp_thread_run_repl(__real_pyexec_friendly_repl);
}

int __real_pyexec_raw_repl(void);
int __wrap_pyexec_raw_repl(void) {
    return mp_thread_run_repl(__real_pyexec_raw_repl);
}

// MicroPython's main.c has set the limit of the stack, and gives the garbage collector all memory up to that stack. What
// the kernel has put on it before takes nothing from how deep a program recurses.
void __real_gc_init(void *start, void *end);
void __wrap_gc_init(void *start, void *end) {
    mp_state_ctx.thread.stack_limit += MAIN_STACK_BELOW_MICROPYTHON;
    __real_gc_init(start, (uint8_t *)end - MAIN_STACK_RESERVE);
}
