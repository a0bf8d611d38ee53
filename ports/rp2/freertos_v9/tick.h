// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's tick, from the RP2040's timer: it goes on while the processor's clock changes, and knows afterwards how
// many ticks went by while interrupts were masked.

#ifndef MODTHREAD_RP2_TICK_H
#define MODTHREAD_RP2_TICK_H

#include "FreeRTOS.h"

// Start it. From the port, when the scheduler starts.
void kernel_tick_start(void);

// Stop the tick's interrupt, and let it catch up. From tasks.
void kernel_tick_pause(void);
void kernel_tick_resume(void);

// For portSUPPRESS_TICKS_AND_SLEEP(), with configUSE_TICKLESS_IDLE 2: sleep until a task wants to run or an interrupt
// comes, without a tick in between.
void kernel_tick_sleep(TickType_t idle_ticks);

#endif // MODTHREAD_RP2_TICK_H
