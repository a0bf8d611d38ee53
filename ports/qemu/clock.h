// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Time since the board started: clock.c implements mp_hal_ticks_us() and its like of py/mphal.h.

#ifndef MICROPY_INCLUDED_QEMU_CLOCK_H
#define MICROPY_INCLUDED_QEMU_CLOCK_H

#include <stdint.h>

// Start the clock and its tick interrupt.
void clock_init(void);

// Called once a millisecond by the tick interrupt.
void clock_tick(void);

#endif // MICROPY_INCLUDED_QEMU_CLOCK_H
