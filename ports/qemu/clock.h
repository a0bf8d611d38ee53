// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Time since the board started: clock.c implements mp_hal_ticks_us() and its like of py/mphal.h.

#ifndef MICROPY_INCLUDED_QEMU_CLOCK_H
#define MICROPY_INCLUDED_QEMU_CLOCK_H

#include <stdint.h>

// Start the clock and its tick interrupt.
void clock_init(void);

// The kernel's, which clock.c calls for each millisecond.
void kernel_tick_handler(void);

#endif // MICROPY_INCLUDED_QEMU_CLOCK_H
