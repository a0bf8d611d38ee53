// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's configuration for the RP2040 and the RP2350.

#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include "../cortex_m/kernel_config.h"

#define configMAX_PRIORITIES                    4
#define configIDLE_SHOULD_YIELD                 1
#define configUSE_TICK_HOOK                     0 // see tick.c

#define INCLUDE_vTaskDelay                      1
#define INCLUDE_xTaskGetSchedulerState          1

void crash_assert(const char *file, int line) __attribute__((noreturn));
#define configASSERT(x) do { if (!(x)) { crash_assert(__FILE__, __LINE__); } } while (0)

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

#define xPortSysTickHandler SysTick_Handler // as CMSIS names it

#endif

#endif // FREERTOS_CONFIG_H
