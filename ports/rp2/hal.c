// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The linker takes these functions for those of MicroPython's mphalport.c; and what both pico-sdk and MicroPython ask for
// where one core has several tasks.

#include "py/mphal.h"
#include "py/mpthread.h"
#include "hardware/sync.h"
#include "hardware/timer.h"

#include "modthread/kernel.h"
#include "sdk_locks.h"

void __wrap_mp_hal_delay_ms(mp_uint_t ms) {
    mp_thread_delay_ms(ms);
}

void __wrap_mp_hal_delay_us(mp_uint_t us) {
    mp_thread_delay_us(us);
}

uint64_t mp_thread_time_us(void) {
    return time_us_64();
}

#if configNUMBER_OF_CORES == 1 // for more see cores.c

uint32_t mp_thread_begin_atomic_section(void) {
    return save_and_disable_interrupts();
}

void mp_thread_end_atomic_section(uint32_t state) {
    restore_interrupts(state);
}

#endif

// What rp2_flash.c calls in place of mp_event_handle_nowait(): there littlefs is at work, which must not be entered by
// another thread or left by an exception. USB goes on without it.
void after_flash_write(void) {
}

uint32_t sdk_lock_owner(void) {
    return (uint32_t)xTaskGetCurrentTaskHandle();
}

void sdk_lock_wait(void) {
    if (xTaskGetSchedulerState() == taskSCHEDULER_RUNNING && !xPortIsInsideInterrupt() && !kernel_interrupts_disabled()) {
        vTaskDelay(1);
    }
}
