// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What MicroPython's ports/esp32 asks of threads, and the functions that the linker takes for those of its mphalport.c.

#include <stdio.h>

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/ringbuf.h"
#include "py/runtime.h"

#include "esp_freertos_hooks.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_timer.h"

#include "modthread/gil.h"

// MicroPython's own port looks for events once a tick, which is 10 ms there.
#define LOOK_AGAIN_TICKS (pdMS_TO_TICKS(5))

portMUX_TYPE mp_thread_spinlock = portMUX_INITIALIZER_UNLOCKED;

#if CONFIG_FREERTOS_TASK_PRE_DELETION_HOOK

// MicroPython 1.25 has the kernel call it.
void vTaskPreDeletionHook(void *task) {
    (void)task;
}

#endif

/******************************************************************************/
// Idle tasks

// Threads that compute leave nothing to the idle tasks, which free the memory of ESP-IDF's tasks and feed its watchdog.
#define STARVING_TICKS (pdMS_TO_TICKS(1000))

static volatile bool idle_has_run[configNUMBER_OF_CORES];

static bool IRAM_ATTR idle(void) {
    idle_has_run[xPortGetCoreID()] = true;
    return true; // and may sleep now
}

static void IRAM_ATTR watch_idle_tasks(void) {
    static TickType_t ticks;
    if (++ticks < STARVING_TICKS) {
        return;
    }
    ticks = 0;
    for (size_t core = 0; core < configNUMBER_OF_CORES; core++) {
        if (!idle_has_run[core]) {
            mp_thread_pause();
        }
        idle_has_run[core] = false;
    }
}

/******************************************************************************/
// Ticks

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

static void IRAM_ATTR tick(void) {
    mp_thread_tick();
    if (input_has_come() || time_to_look_again()) {
        mp_thread_notify();
    }
    watch_idle_tasks();
}

uint64_t mp_thread_time_us(void) {
    return esp_timer_get_time();
}

// What machine.lightsleep() calls: the ticks stand still meanwhile, that clock does not.
esp_err_t __real_esp_light_sleep_start(void);
esp_err_t __wrap_esp_light_sleep_start(void) {
    esp_err_t result = __real_esp_light_sleep_start();
    mp_thread_ticks_missed();
    return result;
}

/******************************************************************************/
// Start and soft reset

void mp_thread_init(void *stack, uint32_t stack_len) {
    (void)stack;
    (void)stack_len;
    mp_thread_init_main(pxTaskGetStackStart(NULL));
    for (UBaseType_t core = 0; core < configNUMBER_OF_CORES; core++) {
        esp_register_freertos_idle_hook_for_cpu(idle, core);
    }
    esp_register_freertos_tick_hook_for_cpu(tick, xPortGetCoreID());
}

int __real_pyexec_friendly_repl(void);
int __wrap_pyexec_friendly_repl(void) {
    return mp_thread_run_repl(__real_pyexec_friendly_repl);
}

int __real_pyexec_raw_repl(void);
int __wrap_pyexec_raw_repl(void) {
    return mp_thread_run_repl(__real_pyexec_raw_repl);
}

// At a soft reset MicroPython's main.c ends the timers first. Threads end before: they may still start some.
void __real_machine_timer_deinit_all(void);
void __wrap_machine_timer_deinit_all(void) {
    mp_thread_deinit();
    __real_machine_timer_deinit_all();
}

// At each soft reset, too; mp_thread_deinit() has ended all other threads.
void __real_mp_init(void);
void __wrap_mp_init(void) {
    mp_thread_init_main(pxTaskGetStackStart(NULL));
    __real_mp_init();
}

/******************************************************************************/
// Instead of those in mphalport.c

void __wrap_mp_hal_delay_ms(mp_uint_t ms) {
    mp_thread_delay_ms(ms);
}

void __wrap_mp_hal_delay_us(mp_uint_t us) {
    mp_thread_delay_us(us);
}

void __wrap_mp_hal_wake_main_task(void) {
    mp_thread_notify();
}

void IRAM_ATTR __wrap_mp_hal_wake_main_task_from_isr(void) {
    mp_thread_notify();
}

/******************************************************************************/
// Crashes

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

#if configNUMBER_OF_CORES > 1

// MicroPython's port has no interrupt handlers in Python.
void mp_thread_stop_others(void) {
}

void mp_thread_continue_others(void) {
}

#endif
