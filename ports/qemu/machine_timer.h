// This file is part of modthread. SPDX-License-Identifier: MIT
//
// machine.Timer: software timers that the tick drives, with callbacks through the scheduler.

#ifndef MICROPY_INCLUDED_QEMU_MACHINE_TIMER_H
#define MICROPY_INCLUDED_QEMU_MACHINE_TIMER_H

#include "py/obj.h"

extern const mp_obj_type_t machine_timer_type;

// From the tick interrupt.
void machine_timer_tick(void);

// Stop all timers.
void machine_timer_deinit_all(void);

#endif // MICROPY_INCLUDED_QEMU_MACHINE_TIMER_H
