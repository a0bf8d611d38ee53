// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the FreeRTOSConfig.h of all Cortex-M ports has in common: static memory only, and no more than modthread needs.

#ifndef MODTHREAD_CORTEX_M_KERNEL_CONFIG_H
#define MODTHREAD_CORTEX_M_KERNEL_CONFIG_H

#include <stdint.h>

#include "floats.h"

#define configTICK_RATE_HZ                      ((TickType_t)1000)
#define configUSE_PREEMPTION                    1
#define configUSE_TIME_SLICING                  1
#define configUSE_16_BIT_TICKS                  0
#define configMINIMAL_STACK_SIZE                (64 + FLOATS_SIZE / 4)
#define configMAX_TASK_NAME_LEN                 4 // with the null; each thread holds its task's name
#define configUSE_IDLE_HOOK                     1
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

// See modthread/trace.h.
#if MODTHREAD_TRACE
void trace_task_switched_in(void);
#define traceTASK_SWITCHED_IN() trace_task_switched_in()
#endif

// The names that the vector table has for them; xPortSysTickHandler is a port's own.
#if !defined(configNUMBER_OF_CORES) || configNUMBER_OF_CORES == 1
#define vPortSVCHandler     SVC_Handler
#define xPortPendSVHandler  PendSV_Handler
#endif

#endif // MODTHREAD_CORTEX_M_KERNEL_CONFIG_H
