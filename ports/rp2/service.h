// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The service task, above all Python threads: it runs what MicroPython's rp2 port dispatches through PendSV, which belongs
// to the kernel here (pendsv.h), and USB.

#ifndef MODTHREAD_RP2_SERVICE_H
#define MODTHREAD_RP2_SERVICE_H

#include <stdint.h>

#include "../cortex_m/floats.h"

#if MICROPY_PY_LWIP
#define SERVICE_STACK_WORDS (768 + FLOATS_SIZE / 4) // TCP takes 1.1 KiB, mDNS 1.7 KiB
#else
#define SERVICE_STACK_WORDS (256 + FLOATS_SIZE / 4)
#endif
extern uint32_t service_stack[SERVICE_STACK_WORDS];

// Create the task; before the scheduler starts.
void service_start(void);

// Something is to be done. From tasks and interrupts, with or without the GIL; never blocks.
void service_notify(void);

#endif // MODTHREAD_RP2_SERVICE_H
