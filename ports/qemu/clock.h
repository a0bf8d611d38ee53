// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Time since the board started: clock.c implements mp_hal_ticks_us() and its like of py/mphal.h with SysTick.

#ifndef MICROPY_INCLUDED_QEMU_CLOCK_H
#define MICROPY_INCLUDED_QEMU_CLOCK_H

// Start SysTick, in a build where no kernel does.
void clock_init(void);

// Called once a millisecond by the tick interrupt.
void clock_tick(void);

#endif // MICROPY_INCLUDED_QEMU_CLOCK_H
