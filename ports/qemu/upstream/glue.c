// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What this port calls, as the cc3200's port does it: ports/cc3200/hal/cc3200_hal.c, mptask.c.

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"

#include "task.h"

#define TASK_PRIORITY (configMAX_PRIORITIES - 1) // the threads ask for 2, and the kernel gives them its highest

StackType_t *mpTaskStack;

int mp_thread_run_repl(int (*repl)(void)) {
    return repl();
}

void mp_thread_init_main(void *stack) {
    mpTaskStack = stack;
    vTaskPrioritySet(NULL, TASK_PRIORITY);
    mp_thread_init();
}

void mp_thread_deinit(void) {
}

void mp_thread_tick(void) {
}

void mp_thread_notify(void) {
}

void mp_thread_delay_ms(uint32_t ms) {
    MP_THREAD_GIL_EXIT();
    vTaskDelay(ms / portTICK_PERIOD_MS);
    MP_THREAD_GIL_ENTER();
}

void mp_thread_delay_us(uint32_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
    }
}

void mp_thread_wait_for_notify(void) {
    mp_handle_pending(true);
    mp_thread_delay_ms(1);
}

uint32_t mp_thread_ident_of_task(const void *task) {
    return (uint32_t)(uintptr_t)task;
}
