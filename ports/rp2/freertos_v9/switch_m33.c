// This file is part of modthread. SPDX-License-Identifier: MIT
//
// On the Cortex-M33 in secure state, where the RP2350 starts. Exceptions, their stack frames, EXC_RETURN, stack limits and
// the floating-point context: Arm DDI 0553 (Armv8-M Architecture Reference Manual), B3; special registers: D1.2.
//
// A task that has used the floating-point unit has EXC_RETURN.FType clear. Its frame has room for s0 to s15, which the
// processor fills before somebody else's first floating-point instruction (lazy preservation). Here, that is the store of
// s16 to s31. Tasks that have not used it cost nothing.
//
// The RP2350's double-precision coprocessor has a state while a computation lasts, and the engaged flag says so. Who
// interrupts one to compute restores it before he returns: pico-sdk's functions do that (double_aeabi_dcp.S). Tasks do not
// end in that order, so a switch keeps the state. To read the last of it clears the flag.

#include <stddef.h>

#include "FreeRTOS.h"
#include "task.h"

#include "switch.h"

#define XPSR_THUMB (1u << 24)
#define EXC_RETURN_TO_TASK (0xfffffffd) // thread mode, process stack, secure state, no floating-point context

// What PendSV pushes, and above it what the processor pushes when it takes an exception: in the order of their addresses.
// Between the two are the coprocessor's state and s16 to s31, where the task has them.
typedef struct _saved_registers_t {
    uint32_t engaged; // the sign bit: the coprocessor has a state
    uint32_t r4_to_r11[8];
    uint32_t exc_return;
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
        .exc_return = EXC_RETURN_TO_TASK,
        .r0_to_r3 = { (uint32_t)argument },
        .lr = (uint32_t)switch_task_returned,
        .pc = (uint32_t)entry & ~1u, // an exception returns to Thumb code by XPSR, not by the address
        .xpsr = XPSR_THUMB,
    };
    return (StackType_t *)saved;
}

// Of the task whose TCB is in r2: its stack's lowest address, as a multiple of 8, is the limit of the process stack.
#define SET_STACK_LIMIT \
    "ldr r1, [r2, #48]      \n" \
    "add r1, #7             \n" \
    "bic r1, #7             \n" \
    "msr psplim, r1         \n"
_Static_assert(offsetof(StaticTask_t, pxDummy6) == 48, "the TCB's pxStack is elsewhere");

// RP2350 datasheet, 3.6.2: the instructions are PCMP, PXMD, PYMD and REFD, and then WXMD, WYMD and WEFD.
#if PICO_RP2350
#define SAVE_COPROCESSOR \
    "mrc2 p4, #0, r15, c0, c0, #1 \n" /* r15 are the flags: N is the engaged flag */ \
    "mrs r3, apsr           \n" \
    "bpl 1f                 \n" \
    "sub r0, #24            \n" \
    "mrrc2 p4, #0, r1, r2, c8 \n" \
    "strd r1, r2, [r0]      \n" \
    "mrrc2 p4, #0, r1, r2, c9 \n" \
    "strd r1, r2, [r0, #8]  \n" \
    "mrrc p4, #0, r1, r2, c10 \n" \
    "strd r1, r2, [r0, #16] \n" \
    "1:                     \n"
#define RESTORE_COPROCESSOR \
    "cmp r3, #0             \n" \
    "bpl 2f                 \n" \
    "ldmia r0!, {r1, r2}    \n" \
    "mcrr p4, #0, r1, r2, c0 \n" \
    "ldmia r0!, {r1, r2}    \n" \
    "mcrr p4, #0, r1, r2, c1 \n" \
    "ldmia r0!, {r1, r2}    \n" \
    "mcrr p4, #0, r1, r2, c2 \n" \
    "2:                     \n"
#else
#define SAVE_COPROCESSOR \
    "mov r3, #0             \n"
#define RESTORE_COPROCESSOR
#endif

__attribute__((naked)) void switch_to_first_task(void) {
    __asm volatile (
        "ldr r2, =pxCurrentTCB  \n"
        "ldr r2, [r2]           \n"
        SET_STACK_LIMIT
        "ldr r0, [r2]           \n"
        "add r0, #40            \n" // what PendSV would load holds nothing yet
        "msr psp, r0            \n"
        "mov r0, #2             \n" // CONTROL.SPSEL: the process stack from here on; FPCA is clear
        "msr control, r0        \n"
        "isb                    \n"
        "pop {r0-r5}            \n" // r4 and r5 are the task's r12 and lr
        "mov r12, r4            \n"
        "mov lr, r5             \n"
        "pop {r4, r5}           \n" // pc and xPSR
        "orr r4, #1             \n" // to Thumb code
        "cpsie i                \n"
        "bx r4                  \n"
        ".ltorg                 \n"
        );
}

// From RAM, as pico-sdk's time-critical functions: it does not wait for flash. It interrupts nothing but tasks. The new
// limit goes before the new stack pointer: in handler mode nobody uses the process stack.
__attribute__((naked, section(".time_critical.PendSV"))) void xPortPendSVHandler(void) {
    __asm volatile (
        "mrs r0, psp            \n"
        "tst lr, #16            \n" // EXC_RETURN.FType
        "it eq                  \n"
        "vstmdbeq r0!, {s16-s31} \n"
        SAVE_COPROCESSOR
        "stmdb r0!, {r3-r11, lr} \n"
        "ldr r4, =pxCurrentTCB  \n"
        "ldr r2, [r4]           \n"
        "str r0, [r2]           \n" // a TCB begins with the stack pointer
        "cpsid i                \n"
        "bl vTaskSwitchContext  \n"
        "cpsie i                \n"
        "ldr r2, [r4]           \n" // the TCB of the task that runs from now on
        SET_STACK_LIMIT
        "ldr r0, [r2]           \n"
        "ldmia r0!, {r3-r11, lr} \n"
        RESTORE_COPROCESSOR
        "tst lr, #16            \n"
        "it eq                  \n"
        "vldmiaeq r0!, {s16-s31} \n"
        "msr psp, r0            \n"
        "bx lr                  \n"
        ".ltorg                 \n"
        );
}
