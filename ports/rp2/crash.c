// This file is part of modthread. SPDX-License-Identifier: MIT

#include <stdarg.h>
#include <stdio.h>

#include "py/mphal.h"
#include "py/mpprint.h"
#include "hardware/sync.h"
#include "hardware/watchdog.h"
#include "hardware/structs/watchdog.h"

#include "device/dcd.h"
#include "tusb.h"

#include "FreeRTOS.h"

#include "cores.h"
#include "crash.h"

#define SAY_US (200000)

// The kernel does not run any more: do what TinyUSB's interrupt and the service task did.
static void pump_usb(uint32_t us) {
    uint32_t start = time_us_32();
    while (time_us_32() - start < us) {
        dcd_int_handler(0);
        tud_task_ext(0, false);
    }
}

static void print_strn(void *env, const char *str, size_t len) {
    (void)env;
    if (tud_inited() && tud_cdc_connected()) {
        tud_cdc_write(str, len);
        tud_cdc_write_flush();
    }
}

void crash(const char *format, ...) {
    save_and_disable_interrupts();
    #if configNUMBER_OF_CORES > 1
    cores_halt_other();
    #endif
    watchdog_enable(1000, false); // should the following not end
    static const mp_print_t print = { NULL, print_strn };
    if (tud_inited()) {
        tud_cdc_write_clear();
        pump_usb(SAY_US / 10);
    }
    va_list arguments;
    va_start(arguments, format);
    mp_printf(&print, "\r\n*** ");
    mp_vprintf(&print, format, arguments);
    mp_printf(&print, "\r\n");
    va_end(arguments);
    if (tud_inited()) {
        pump_usb(SAY_US);
    }
    watchdog_reboot(0, 0, 0);
    for (;;) {
    }
}

void crash_assert(const char *file, int line) {
    crash("assertion failed at %s:%d", file, line);
}

// The name that the vector table has for it, with CMSIS.
void HardFault_Handler(void) {
    crash("HardFault");
}
