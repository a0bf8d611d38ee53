// This file is part of modthread. SPDX-License-Identifier: MIT
//
// In the place of modthread's header: what this port calls of it.

#ifndef UPSTREAM_KERNEL_H
#define UPSTREAM_KERNEL_H

#include "FreeRTOS.h"
#include "task.h"

static inline void kernel_take(TickType_t ticks) {
    vTaskDelay(ticks);
}

#endif // UPSTREAM_KERNEL_H
