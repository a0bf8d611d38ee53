// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's tick, and the clock of threads.

#include "py/mphal.h"
#include "py/ringbuf.h"
#include "py/runtime.h"

#include "esp_freertos_hooks.h"
#include "esp_sleep.h"
#include "esp_timer.h"

#include "modthread/gil.h"

#include "idle.h"
#include "tick.h"

// MicroPython's own port looks for events once a tick, which is 10 ms there.
#define LOOK_AGAIN_TICKS (pdMS_TO_TICKS(5))

// The UART's driver tells nobody when a character has come.
static bool IRAM_ATTR input_has_come(void) {
    static uint16_t seen;
    uint16_t put = stdin_ringbuf.iput;
    bool has_come = put != seen;
    seen = put;
    return has_come;
}

// Neither do sockets and radio: who waits for an event looks again, and a main thread that waits, for WebREPL.
static bool IRAM_ATTR time_to_look_again(void) {
    static TickType_t ticks;
    if (++ticks < LOOK_AGAIN_TICKS) {
        return false;
    }
    ticks = 0;
    if (thread_main.status == THREAD_WAITING) {
        gil_wake(&thread_main);
    }
    return true;
}

// Threads that wait until some time are on time to a tick, which looks whether it has come.
void IRAM_ATTR mp_thread_set_alarm(uint64_t us) {
    (void)us;
}

static void IRAM_ATTR tick(void) {
    mp_thread_tick();
    mp_thread_alarm();
    if (input_has_come() || time_to_look_again()) {
        mp_thread_notify();
    }
    idle_watch();
}

uint64_t IRAM_ATTR mp_thread_time_us(void) {
    return esp_timer_get_time();
}

void tick_init(void) {
    esp_register_freertos_tick_hook_for_cpu(tick, xPortGetCoreID());
}

// What machine.lightsleep() calls: the ticks stand still meanwhile, that clock does not.
esp_err_t __real_esp_light_sleep_start(void);
esp_err_t __wrap_esp_light_sleep_start(void) {
    esp_err_t result = __real_esp_light_sleep_start();
    mp_thread_alarm();
    return result;
}
