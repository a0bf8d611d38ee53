// This file is part of modthread. SPDX-License-Identifier: MIT
//
// FreeRTOS V9 on one Cortex-M. Tasks run on the process stack, interrupts on the main stack; PendSV, the least urgent
// exception, switches tasks: see switch.h. Exceptions and the special registers: Arm DDI 0419 (Armv6-M Architecture
// Reference Manual), B1.4 and B1.5, and Arm DDI 0553 (Armv8-M), B3.

#include "FreeRTOS.h"
#include "task.h"

#include "switch.h"
#include "tick.h"

#define ICSR (*(volatile uint32_t *)0xe000ed04)
#define ICSR_PENDSVSET (1u << 28)
#define SHPR3 (*(volatile uint32_t *)0xe000ed20) // only whole words can be written
#define SHPR3_PENDSV_LOWEST (0xffu << 16)

static uint32_t critical_nesting; // of the task that runs: no task switches inside
static uint32_t critical_state; // what the outermost vPortExitCritical() restores

void switch_task_returned(void) {
    configASSERT(!"a task's function has returned");
}

BaseType_t xPortStartScheduler(void) {
    SHPR3 |= SHPR3_PENDSV_LOWEST;
    kernel_tick_start();
    switch_to_first_task();
}

void vPortEndScheduler(void) {
    configASSERT(!"the scheduler never ends");
}

void vPortYield(void) {
    ICSR = ICSR_PENDSVSET;
    __asm volatile ("dsb\n isb" : : : "memory"); // it is taken before the next instruction
}

// A task may have masked interrupts already, for longer than this section.
void vPortEnterCritical(void) {
    uint32_t state = interrupt_mask_save();
    if (critical_nesting++ == 0) {
        critical_state = state;
    }
}

void vPortExitCritical(void) {
    configASSERT(critical_nesting != 0);
    if (--critical_nesting == 0) {
        interrupt_mask_restore(critical_state);
        __asm volatile ("isb" : : : "memory"); // a switch that waits is made before the next instruction
    }
}
