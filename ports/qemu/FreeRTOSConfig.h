// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's configuration for QEMU's MPS2 boards.

#ifndef FREERTOS_CONFIG_H
#define FREERTOS_CONFIG_H

#include <assert.h>

#include "../cortex_m/kernel_config.h"

#define configCPU_CLOCK_HZ                      (25000000UL)
#define configMAX_PRIORITIES                    3 // idle, Python threads, the service task
#define configIDLE_SHOULD_YIELD                 0
#define configUSE_TICK_HOOK                     1
#define INCLUDE_xTaskGetSchedulerState          1

// Cortex-M priorities, 0 is the most urgent: the kernel's own interrupts are the least urgent,
// and those above configMAX_SYSCALL_INTERRUPT_PRIORITY are never masked and must not call the kernel.
#define configKERNEL_INTERRUPT_PRIORITY         0xff
#define configMAX_SYSCALL_INTERRUPT_PRIORITY    0x40

// As MicroPython's own assertions, in a build with DEBUG=1.
#ifndef NDEBUG
#define configASSERT(x) assert(x)
#endif

#define xPortSysTickHandler kernel_tick_handler // see clock.c

#endif // FREERTOS_CONFIG_H
