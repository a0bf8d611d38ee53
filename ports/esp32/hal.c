// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The functions that the linker takes for those of MicroPython's ports/esp32/mphalport.c, and what the kernels ask for.

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"

#include "modthread/kernel.h"

_Static_assert(MODTHREAD_CORE_DEFAULT == MP_TASK_COREID, "threads run on the core of the main thread");

portMUX_TYPE mp_thread_spinlock = portMUX_INITIALIZER_UNLOCKED;

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

#if CONFIG_FREERTOS_TASK_PRE_DELETION_HOOK

// MicroPython 1.25 has the kernel call it.
void vTaskPreDeletionHook(void *task) {
    (void)task;
}

#endif

#if configNUMBER_OF_CORES > 1

// MicroPython's port has no interrupt handlers in Python.
void mp_thread_stop_others(void) {
}

void mp_thread_continue_others(void) {
}

#endif
