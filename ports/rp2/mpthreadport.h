// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Found before MicroPython's own file of this name, and takes its place.

#ifndef MODTHREAD_RP2_MPTHREADPORT_H
#define MODTHREAD_RP2_MPTHREADPORT_H

#include "modthread/mpthreadport.h"

#include "stacks.h"

// From MicroPython's main.c.
static inline void mp_thread_init(void) {
    mp_thread_init_main(main_stack_bottom);
}

// For assertions: the calling task is between pendsv_suspend() and pendsv_resume() (cortex_m/service.h).
bool service_is_locked_here(void);
#define MP_THREAD_HOLDS_PORT_MUTEX() service_is_locked_here()

// MicroPython's rp2_flash.c stops the other core if this is not NULL.
#if configNUMBER_OF_CORES > 1
#define core1_entry ((void *)1)
#else
#define core1_entry (NULL)
#endif

#endif // MODTHREAD_RP2_MPTHREADPORT_H
