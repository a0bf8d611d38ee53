// This file is part of modthread. SPDX-License-Identifier: MIT

#include <stdarg.h>

#include "py/mphal.h"
#include "py/mpprint.h"
#include "py/mpthread.h"
#include "hardware/sync.h"
#include "hardware/watchdog.h"
#include "hardware/structs/watchdog.h"

#include "device/dcd.h"
#include "tusb.h"

#include "FreeRTOS.h"
#include "task.h"

#include "../cortex_m/fault.h"
#include "cores.h"
#include "crash.h"

#define SAY_US (200000)
#define PUMP_US (1000)
#define WATCHDOG_MS (2000)

// The kernel does not run any more: do what TinyUSB's interrupt and the service task did.
static void pump_usb(uint32_t us) {
    uint32_t start = time_us_32();
    while (time_us_32() - start < us) {
        dcd_int_handler(0);
        tud_task_ext(0, false);
    }
}

// What does not fit into TinyUSB's buffer waits until the host reads on, or for the watchdog.
static void print_strn(void *env, const char *str, size_t len) {
    (void)env;
    while (len != 0 && tud_inited() && tud_cdc_connected()) {
        uint32_t written = tud_cdc_write(str, len);
        str += written;
        len -= written;
        tud_cdc_write_flush();
        if (len != 0) {
            pump_usb(PUMP_US);
        }
    }
}

const mp_print_t *fault_begin(void) {
    save_and_disable_interrupts();
    #if configNUMBER_OF_CORES > 1
    cores_halt_other();
    #endif
    watchdog_enable(WATCHDOG_MS, false); // should the following not end
    static const mp_print_t print = { NULL, print_strn };
    if (tud_inited()) {
        tud_cdc_write_clear();
        pump_usb(SAY_US / 10);
    }
    return &print;
}

void fault_end(void) {
    if (tud_inited()) {
        pump_usb(SAY_US);
    }
    watchdog_reboot(0, 0, 0);
    for (;;) {
    }
}

void crash(const char *format, ...) {
    const mp_print_t *print = fault_begin();
    va_list arguments;
    va_start(arguments, format);
    mp_printf(print, "\r\n*** ");
    mp_vprintf(print, format, arguments);
    va_end(arguments);
    fault_print_stack(print);
    fault_end();
}

void crash_assert(const char *file, int line) {
    crash("assertion failed at %s:%d", file, line);
}

#if __ARM_ARCH >= 8
void fault_print_task(const mp_print_t *print) {
    TaskHandle_t task = xTaskGetCurrentTaskHandle();
    uint32_t ident = mp_thread_ident_of_task(task);
    if (ident != 0) {
        mp_printf(print, "thread %u", (unsigned)ident);
    } else {
        mp_printf(print, "task %s", pcTaskGetName(task));
    }
}
#endif

// The name that the vector table has for it, with CMSIS.
__attribute__((naked)) void HardFault_Handler(void) {
    __asm volatile (
        "ldr r0, =fault_handler \n"
        "bx r0                  \n"
        );
}
