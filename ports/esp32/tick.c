// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's tick, and the clock and the alarm of threads: one of ESP-IDF's timers, so that machine.Timer has all of its own.

#include "py/mphal.h"
#include "py/ringbuf.h"
#include "py/runtime.h"

#include "esp_freertos_hooks.h"
#include "esp_sleep.h"
#include "esp_timer.h"

#include "modthread/gil.h"

#include "compiled.h"
#include "idle.h"
#include "tick.h"

#if !CONFIG_ESP_TIMER_SUPPORTS_ISR_DISPATCH_METHOD
#error modthread needs CONFIG_ESP_TIMER_SUPPORTS_ISR_DISPATCH_METHOD, as in ports/esp32/sdkconfig: delete the sdkconfig of an older build
#endif

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

static esp_timer_handle_t alarm_timer;

// In the timer's interrupt, on core 0, also while flash is written. Nothing of esp_timer is locked.
static void IRAM_ATTR alarm_handler(void *unused) {
    (void)unused;
    mp_thread_alarm();
    compiled_tick();
}

// What is locked here is locked within our critical section, and never the other way round. A handler that has begun on
// the other core looks at the clock, and sets the alarm again.
void IRAM_ATTR mp_thread_set_alarm(uint64_t us) {
    esp_timer_stop(alarm_timer); // an error if it is not set
    if (us != UINT64_MAX) {
        uint64_t now = mp_thread_time_us();
        esp_timer_start_once(alarm_timer, us <= now ? 0 : us - now);
    }
}

static void IRAM_ATTR tick(void) {
    mp_thread_tick();
    if (input_has_come() || time_to_look_again()) {
        mp_thread_notify();
    }
    idle_watch();
    compiled_tick();
}

uint64_t IRAM_ATTR mp_thread_time_us(void) {
    return esp_timer_get_time();
}

void tick_init(void) {
    const esp_timer_create_args_t args = {
        .callback = alarm_handler,
        .dispatch_method = ESP_TIMER_ISR,
        .name = "threads",
    };
    ESP_ERROR_CHECK(esp_timer_create(&args, &alarm_timer));
    esp_register_freertos_tick_hook_for_cpu(tick, xPortGetCoreID());
}

// What machine.lightsleep() calls: the ticks stand still meanwhile, that clock does not.
esp_err_t __real_esp_light_sleep_start(void);
esp_err_t __wrap_esp_light_sleep_start(void) {
    esp_err_t result = __real_esp_light_sleep_start();
    mp_thread_alarm();
    return result;
}
