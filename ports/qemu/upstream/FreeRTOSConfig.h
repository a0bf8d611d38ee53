// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The same kernel with what MicroPython's backend for the cc3200 needs: mutexes, and a pointer of each task's own.

#ifndef UPSTREAM_FREERTOS_CONFIG_H
#define UPSTREAM_FREERTOS_CONFIG_H

#include "../FreeRTOSConfig.h"

#undef configUSE_MUTEXES
#define configUSE_MUTEXES                       1
#define configNUM_THREAD_LOCAL_STORAGE_POINTERS 1
#define INCLUDE_vTaskPrioritySet                1
#define INCLUDE_vTaskDelay                      1

#endif // UPSTREAM_FREERTOS_CONFIG_H
