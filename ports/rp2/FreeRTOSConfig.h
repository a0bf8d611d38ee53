// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's configuration for the RP2040: static memory only, and no more than modthread needs.

#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include <stdint.h>

#define configTICK_RATE_HZ                      ((TickType_t)1000)
#define configUSE_PREEMPTION                    1
#define configUSE_TIME_SLICING                  1
#define configUSE_16_BIT_TICKS                  0
#define configMAX_PRIORITIES                    4
#define configMINIMAL_STACK_SIZE                64
#define configMAX_TASK_NAME_LEN                 4 // with the null; each thread holds its task's name
#define configIDLE_SHOULD_YIELD                 1
#define configUSE_IDLE_HOOK                     1
#define configUSE_TICK_HOOK                     0 // see tick.c
#define configCHECK_FOR_STACK_OVERFLOW          1

#define configSUPPORT_STATIC_ALLOCATION         1
#define configSUPPORT_DYNAMIC_ALLOCATION        0
#define configUSE_TASK_NOTIFICATIONS            1
#define configUSE_MUTEXES                       0
#define configUSE_CO_ROUTINES                   0
#define configMAX_CO_ROUTINE_PRIORITIES         1

#define INCLUDE_vTaskDelay                      1
#define INCLUDE_vTaskDelete                     1
#define INCLUDE_vTaskSuspend                    1
#define INCLUDE_xTaskGetCurrentTaskHandle       1
#define INCLUDE_xTaskGetSchedulerState          1

void crash_assert(const char *file, int line) __attribute__((noreturn));
#define configASSERT(x) do { if (!(x)) { crash_assert(__FILE__, __LINE__); } } while (0)

// See modthread/trace.h.
#if MODTHREAD_TRACE
void trace_task_switched_in(void);
#define traceTASK_SWITCHED_IN() trace_task_switched_in()
#endif

#if configNUMBER_OF_CORES > 1

#define configTICK_CORE                         0
#define configRUN_MULTIPLE_PRIORITIES           1
#define configUSE_CORE_AFFINITY                 1
#define configUSE_PASSIVE_IDLE_HOOK             1
#define configRESET_STACK_POINTER               0 // main.c has set it
#define configUSE_TIMERS                        0
#define configSUPPORT_PICO_SYNC_INTEROP         0 // sdk_locks.h does it
#define configSUPPORT_PICO_TIME_INTEROP         0

#else

// The names that the vector table has for them, with CMSIS.
#define vPortSVCHandler     SVC_Handler
#define xPortPendSVHandler  PendSV_Handler
#define xPortSysTickHandler SysTick_Handler

#endif

#endif // FREERTOS_CONFIG_H
