// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MICROPY_INCLUDED_QEMU_MPHALPORT_H
#define MICROPY_INCLUDED_QEMU_MPHALPORT_H

#include "py/mpconfig.h"
#include "shared/runtime/interrupt_char.h"

#include "modthread/interrupt_mask_arm.h"

// Mask all interrupts; returns what mp_hal_end_atomic_section() restores. Nestable.
static inline mp_uint_t mp_hal_begin_atomic_section(void) {
    return interrupt_mask_save();
}

static inline void mp_hal_end_atomic_section(mp_uint_t state) {
    interrupt_mask_restore(state);
}

// Sleep until the next interrupt; the tick comes within a millisecond.
#define MICROPY_INTERNAL_WFE(timeout_ms) __asm volatile ("wfi")

#endif // MICROPY_INCLUDED_QEMU_MPHALPORT_H
