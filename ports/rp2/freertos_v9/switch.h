// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What a processor's switch_*.c provides, beside the kernel's pxPortInitialiseStack() and xPortPendSVHandler().

#ifndef MODTHREAD_RP2_SWITCH_H
#define MODTHREAD_RP2_SWITCH_H

// Load the first task's registers as an exception's return would, from thread mode, and unmask interrupts. The caller's
// stack is left to interrupts, as far as it is free.
void switch_to_first_task(void) __attribute__((noreturn));

// Where a task's function would return to.
void switch_task_returned(void);

#endif // MODTHREAD_RP2_SWITCH_H
