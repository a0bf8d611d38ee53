// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the board says when a stack has overflowed; tools/modthread/_reports/crash.py reads it.

#include <stdio.h>

#include "py/mpthread.h"

#include "esp_system.h"

#include "modthread/kernel.h"

void mp_thread_stack_overflow(uint32_t ident) {
    static char message[48];
    snprintf(message, sizeof(message), "*** stack overflow in thread %u", (unsigned)ident);
    esp_system_abort(message);
}

// The kernel has noticed it first.
void vApplicationStackOverflowHook(TaskHandle_t task, char *name) {
    uint32_t ident = mp_thread_ident_of_task(task);
    if (ident != 0) {
        mp_thread_stack_overflow(ident);
    }
    static char message[48];
    snprintf(message, sizeof(message), "*** stack overflow in task %s", name);
    esp_system_abort(message);
}
