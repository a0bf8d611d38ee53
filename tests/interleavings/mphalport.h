// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_INTERLEAVINGS_MPHALPORT_H
#define MODTHREAD_INTERLEAVINGS_MPHALPORT_H

static inline void mp_hal_set_interrupt_char(int c) {
    (void)c;
}

#endif // MODTHREAD_INTERLEAVINGS_MPHALPORT_H
