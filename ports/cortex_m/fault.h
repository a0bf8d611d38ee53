// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the board says when it crashes, for a person and for tools/modthread/_reports/crash.py, which decodes it.

#ifndef MODTHREAD_CORTEX_M_FAULT_H
#define MODTHREAD_CORTEX_M_FAULT_H

#include "py/mpprint.h"

// Goes into the vector table for all faults: prints the registers and the stack, and restarts the board.
void fault_handler(void);

// Print the stack of the task that runs or was interrupted, for a crash that is not a fault.
void fault_print_stack(const mp_print_t *print);

// A port provides these: make the serial line ready for the last words, and restart the board after them.
const mp_print_t *fault_begin(void);
void fault_end(void) __attribute__((noreturn));

// A port provides it where the processor has stack limits: print which task runs, as in "thread 3".
void fault_print_task(const mp_print_t *print);

#endif // MODTHREAD_CORTEX_M_FAULT_H
