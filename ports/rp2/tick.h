// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's tick, from the RP2040's timer: it goes on while the processor's clock changes, and knows afterwards how
// many ticks went by while interrupts were masked. It shares its alarm with threads that wait until some time.

#ifndef MODTHREAD_RP2_TICK_H
#define MODTHREAD_RP2_TICK_H

#include <stdint.h>

// Start it. From the port, when the scheduler starts.
void kernel_tick_start(void);

// How often its interrupt has come.
extern volatile uint32_t kernel_tick_interrupts;

// Stop the tick's interrupt, and go on. The kernel does not learn how much time went by; threads and the service task
// look at the clock. From tasks.
void kernel_tick_pause(void);
void kernel_tick_resume(void);

#endif // MODTHREAD_RP2_TICK_H
