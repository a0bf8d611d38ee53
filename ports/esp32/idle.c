// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The idle tasks free the memory of ESP-IDF's tasks and feed its watchdog.

#include "py/mpthread.h"

#include "esp_freertos_hooks.h"

#include "modthread/kernel.h"

#include "idle.h"

// So long may threads that compute leave nothing to them.
#define STARVING_TICKS (pdMS_TO_TICKS(1000))

static volatile bool idle_has_run[configNUMBER_OF_CORES];

static bool IRAM_ATTR all_have_run(void) {
    for (size_t core = 0; core < configNUMBER_OF_CORES; core++) {
        if (!idle_has_run[core]) {
            return false;
        }
    }
    return true;
}

// An idle task has freed memory before, and the watchdog's hook is called before this one or at the next pause.
static bool idle(void) {
    idle_has_run[xPortGetCoreID()] = true;
    if (all_have_run()) {
        mp_thread_end_pause();
    }
    return true; // and may sleep now
}

void IRAM_ATTR idle_watch(void) {
    static TickType_t ticks;
    if (++ticks < STARVING_TICKS) {
        return;
    }
    ticks = 0;
    if (!all_have_run()) {
        mp_thread_pause();
    }
    for (size_t core = 0; core < configNUMBER_OF_CORES; core++) {
        idle_has_run[core] = false;
    }
}

void idle_init(void) {
    for (UBaseType_t core = 0; core < configNUMBER_OF_CORES; core++) {
        esp_register_freertos_idle_hook_for_cpu(idle, core);
    }
}
