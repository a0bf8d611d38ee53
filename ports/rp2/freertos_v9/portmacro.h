// This file is part of modthread. SPDX-License-Identifier: MIT
//
// FreeRTOS V9 on one Cortex-M: what its include/portable.h and tasks.c ask of a port.

#ifndef PORTMACRO_H
#define PORTMACRO_H

#include <stdint.h>

#include "../../../modthread/interrupt_mask_arm.h"

typedef uint32_t StackType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;
typedef uint32_t TickType_t;

#define portCHAR char
#define portSHORT short
#define portLONG long
#define portSTACK_TYPE StackType_t
#define portBASE_TYPE BaseType_t
#define portMAX_DELAY ((TickType_t)UINT32_MAX)
#define portTICK_TYPE_IS_ATOMIC 1
#define portTICK_PERIOD_MS (1000 / configTICK_RATE_HZ)
#define portSTACK_GROWTH (-1)
#define portBYTE_ALIGNMENT 8
#define portPOINTER_SIZE_TYPE uintptr_t
#define portNOP()

#define portTASK_FUNCTION_PROTO(function, parameters) void function(void *parameters)
#define portTASK_FUNCTION(function, parameters) void function(void *parameters)

// Ask for a switch to the task that shall run: it happens when no interrupt is served and none is masked.
void vPortYield(void);
#define portYIELD() vPortYield()
#define portEND_SWITCHING_ISR(required) do { if (required) { vPortYield(); } } while (0)
#define portYIELD_FROM_ISR(required) portEND_SWITCHING_ISR(required)

// All interrupts: the Cortex-M0+ has no finer mask, and nothing here needs one.
#define portSET_INTERRUPT_MASK_FROM_ISR() interrupt_mask_save()
#define portCLEAR_INTERRUPT_MASK_FROM_ISR(state) interrupt_mask_restore(state)
#define portDISABLE_INTERRUPTS() __asm volatile ("cpsid i" : : : "memory")
#define portENABLE_INTERRUPTS() __asm volatile ("cpsie i" : : : "memory")

// From tasks only.
void vPortEnterCritical(void);
void vPortExitCritical(void);
#define portENTER_CRITICAL() vPortEnterCritical()
#define portEXIT_CRITICAL() vPortExitCritical()

// Runs at every switch: from RAM, with PendSV's handler.
void vTaskSwitchContext(void) __attribute__((section(".time_critical.vTaskSwitchContext")));

static inline BaseType_t xPortIsInsideInterrupt(void) {
    uint32_t exception;
    __asm volatile ("mrs %0, ipsr" : "=r" (exception));
    return exception != 0;
}

#endif // PORTMACRO_H
