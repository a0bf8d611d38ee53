// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include <stdint.h>

#define configTICK_RATE_HZ                      ((TickType_t)1000)
#define configUSE_PREEMPTION                    1
#define configUSE_TIME_SLICING                  1
#define configUSE_16_BIT_TICKS                  0
#define configMAX_PRIORITIES                    4
#define configMINIMAL_STACK_SIZE                128
#define configMAX_TASK_NAME_LEN                 8
#define configIDLE_SHOULD_YIELD                 1
#define configUSE_IDLE_HOOK                     0
#define configUSE_TICK_HOOK                     0
#define configCHECK_FOR_STACK_OVERFLOW          1

#define configSUPPORT_STATIC_ALLOCATION         1
#define configSUPPORT_DYNAMIC_ALLOCATION        0
#define configUSE_MUTEXES                       0
#define configUSE_CO_ROUTINES                   0
#define configMAX_CO_ROUTINE_PRIORITIES         1

#define INCLUDE_vTaskDelay                      1
#define INCLUDE_vTaskDelete                     1
#define INCLUDE_vTaskSuspend                    1
#define INCLUDE_xTaskGetCurrentTaskHandle       1

void stop(const char *why) __attribute__((noreturn));
#define configASSERT(x) do { if (!(x)) { stop(#x); } } while (0)

// The name that pico-sdk's vector table has for it, with CMSIS.
#define xPortPendSVHandler PendSV_Handler

// Tasks that hold registers never leave the processor of their own will.
extern void *volatile observer;
extern void *volatile switched_out;
extern volatile uint32_t preemptions;
#define traceTASK_SWITCHED_OUT() (switched_out = pxCurrentTCB)
#define traceTASK_SWITCHED_IN() (preemptions += switched_out != pxCurrentTCB && switched_out != observer)

#endif // FREERTOS_CONFIG_H
