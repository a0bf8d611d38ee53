// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's configuration for QEMU's MPS2 boards: static memory only, and no more than modthread needs.

#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include <assert.h>
#include <stdint.h>

#define configCPU_CLOCK_HZ                      (25000000UL)
#define configTICK_RATE_HZ                      ((TickType_t)1000)
#define configUSE_PREEMPTION                    1
#define configUSE_TIME_SLICING                  1
#define configUSE_16_BIT_TICKS                  0
#define configMAX_PRIORITIES                    2
#define configMINIMAL_STACK_SIZE                64
#define configMAX_TASK_NAME_LEN                 4
#define configIDLE_SHOULD_YIELD                 0
#define configUSE_IDLE_HOOK                     1
#define configUSE_TICK_HOOK                     1
#ifndef configCHECK_FOR_STACK_OVERFLOW
#define configCHECK_FOR_STACK_OVERFLOW          1
#endif

#define configSUPPORT_STATIC_ALLOCATION         1
#define configSUPPORT_DYNAMIC_ALLOCATION        0
#define configUSE_TASK_NOTIFICATIONS            1
#define configUSE_MUTEXES                       0
#define configUSE_CO_ROUTINES                   0
#define configMAX_CO_ROUTINE_PRIORITIES         1

#define INCLUDE_vTaskDelete                     1
#define INCLUDE_vTaskSuspend                    1
#define INCLUDE_xTaskGetCurrentTaskHandle       1

// Cortex-M priorities, 0 is the most urgent: the kernel's own interrupts are the least urgent,
// and those above configMAX_SYSCALL_INTERRUPT_PRIORITY are never masked and must not call the kernel.
#define configKERNEL_INTERRUPT_PRIORITY         0xff
#define configMAX_SYSCALL_INTERRUPT_PRIORITY    0x40

// As MicroPython's own assertions, in a build with DEBUG=1.
#ifndef NDEBUG
#define configASSERT(x) assert(x)
#endif

// See modthread/trace.h.
#if MODTHREAD_TRACE
void trace_task_switched_in(void);
#define traceTASK_SWITCHED_IN() trace_task_switched_in()
#endif

// The names that the vector table has for them.
#define vPortSVCHandler     SVC_Handler
#define xPortPendSVHandler  PendSV_Handler
#define xPortSysTickHandler kernel_tick_handler // see clock.c

#endif // FREERTOS_CONFIG_H
