// This file is part of modthread. SPDX-License-Identifier: MIT
//
// On the Cortex-M0+. Exceptions, their stack frames and the special registers: Arm DDI 0419 (Armv6-M Architecture
// Reference Manual), B1.4 and B1.5.

#include "FreeRTOS.h"
#include "task.h"

#include "switch.h"

#define XPSR_THUMB (1u << 24)

// What PendSV pushes, and above it what the processor pushes when it takes an exception: in the order of their addresses.
typedef struct _saved_registers_t {
    uint32_t r8_to_r11[4];
    uint32_t r4_to_r7[4];
    uint32_t r0_to_r3[4];
    uint32_t r12;
    uint32_t lr;
    uint32_t pc;
    uint32_t xpsr;
} saved_registers_t;

// The kernel's top is a multiple of 8, as a stack pointer has to be where a function begins.
StackType_t *pxPortInitialiseStack(StackType_t *top, TaskFunction_t entry, void *argument) {
    saved_registers_t *saved = (saved_registers_t *)top - 1;
    *saved = (saved_registers_t) {
        .r0_to_r3 = { (uint32_t)argument },
        .lr = (uint32_t)switch_task_returned,
        .pc = (uint32_t)entry & ~1u, // an exception returns to Thumb code by XPSR, not by the address (B1.5.8)
        .xpsr = XPSR_THUMB,
    };
    return (StackType_t *)saved;
}

__attribute__((naked)) void switch_to_first_task(void) {
    __asm volatile (
        "ldr r0, =pxCurrentTCB \n"
        "ldr r0, [r0]          \n"
        "ldr r0, [r0]          \n"
        "add r0, #32           \n" // r4 to r11 hold nothing yet
        "msr psp, r0           \n"
        "mov r0, #2            \n" // CONTROL.SPSEL: the process stack from here on
        "msr control, r0       \n"
        "isb                   \n"
        "pop {r0-r5}           \n" // r4 and r5 are the task's r12 and lr
        "mov r12, r4           \n"
        "mov lr, r5            \n"
        "pop {r4, r5}          \n" // pc and xPSR
        "add r4, #1            \n" // to Thumb code
        "cpsie i               \n"
        "bx r4                 \n"
        );
}

// From RAM, as pico-sdk's time-critical functions: it does not wait for flash. It interrupts nothing but tasks. Only r0
// to r7 can be loaded and stored several at once.
__attribute__((naked, section(".time_critical.PendSV"))) void xPortPendSVHandler(void) {
    __asm volatile (
        "mrs r0, psp            \n"
        "sub r0, #16            \n"
        "stmia r0!, {r4-r7}     \n"
        "mov r4, r8             \n"
        "mov r5, r9             \n"
        "mov r6, r10            \n"
        "mov r7, r11            \n"
        "sub r0, #32            \n"
        "ldr r3, 1f             \n"
        "ldr r2, [r3]           \n"
        "str r0, [r2]           \n" // a TCB begins with the stack pointer
        "stmia r0!, {r4-r7}     \n"
        "mov r4, r3             \n" // these two outlast the call
        "mov r5, lr             \n"
        "cpsid i                \n"
        "bl vTaskSwitchContext  \n"
        "cpsie i                \n"
        "mov lr, r5             \n"
        "ldr r2, [r4]           \n" // the TCB of the task that runs from now on
        "ldr r0, [r2]           \n"
        "ldmia r0!, {r4-r7}     \n"
        "mov r8, r4             \n"
        "mov r9, r5             \n"
        "mov r10, r6            \n"
        "mov r11, r7            \n"
        "ldmia r0!, {r4-r7}     \n"
        "msr psp, r0            \n"
        "bx lr                  \n"
        ".align 2               \n"
        "1: .word pxCurrentTCB  \n"
        );
}
