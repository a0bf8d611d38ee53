// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Found before MicroPython's own file of this name, which it includes: only what must differ is here.

#ifndef MODTHREAD_RP2_MPCONFIGPORT_H
#define MODTHREAD_RP2_MPCONFIGPORT_H

#ifndef MICROPY_PY_THREAD // modthread compiles py/vm.c without
#define MICROPY_PY_THREAD (1)
#endif

// usb.c takes the place of shared/tinyusb/mp_usbd_cdc.c.
#define MICROPY_EXCLUDE_SHARED_TINYUSB_USBD_CDC (1)

// Into the bootloader when a host opens the line with 1200 baud and closes it: for tools that flash.
#define MICROPY_HW_USB_CDC_1200BPS_TOUCH (1)

#include_next <mpconfigport.h>

#include "../cortex_m/floats.h"

#if MICROPY_HW_ENABLE_PSRAM && !MICROPY_GC_SPLIT_HEAP
#error "modthread: stacks must not be in PSRAM, which cannot be read while flash is written; set MICROPY_GC_SPLIT_HEAP to 1"
#endif

// Hard interrupt handlers have limits of their own from mp_sched_lock() on, when the other core has stopped. From 1.26 on
// MicroPython may set some before, in the state of the thread that runs there.
#undef MICROPY_STACK_SIZE_HARD_IRQ
#define MICROPY_STACK_SIZE_HARD_IRQ (0)

// machine.lightsleep() and machine.idle() know of threads.
#undef MICROPY_PY_MACHINE_INCLUDEFILE
#define MICROPY_PY_MACHINE_INCLUDEFILE "ports/rp2/machine_sleep.c"

// Transfers let other threads run.
#undef MICROPY_PY_MACHINE_UART_INCLUDEFILE
#define MICROPY_PY_MACHINE_UART_INCLUDEFILE "ports/rp2/transfer_uart.c"
#define MODTHREAD_FORGET_WAITING rp2_forget_waiting

// What C code may use between two checks of the stack, and what it takes to raise an exception. The main program keeps
// MicroPython's 256 bytes, so that it recurses as deep as ever, and has MAIN_STACK_RESERVE (micropython.cmake) below.
#define MODTHREAD_STACK_MARGIN (1024 + FLOATS_SIZE)
#define STACK_NEED_FILES (1344 + FLOATS_SIZE)

#endif // MODTHREAD_RP2_MPCONFIGPORT_H
