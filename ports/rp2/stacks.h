// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Stacks: the main program has the linker script's (in the two scratch banks) and a reserve below, at the end of the
// heap; interrupts have one of their own.

#ifndef MODTHREAD_RP2_STACKS_H
#define MODTHREAD_RP2_STACKS_H

#include <stdint.h>

#include "../cortex_m/floats.h"
#include "../cortex_m/guard.h"

extern uint8_t __StackTop, __StackBottom;

#define main_stack_bottom ((uint8_t *)((uintptr_t)&__StackBottom - MAIN_STACK_RESERVE))
#define main_stack_size ((uintptr_t)&__StackTop - (uintptr_t)main_stack_bottom)

// What the kernel's start, main_task() and mp_thread_run_repl() take of it.
#define MAIN_STACK_BELOW_MICROPYTHON (64 + MP_THREAD_RUN_REPL_STACK)

#define INTERRUPT_STACK_SIZE (3584 + 4 * FLOATS_SIZE) // for each of the priorities that drivers use
extern uint32_t interrupt_stack[INTERRUPT_STACK_SIZE / sizeof(uint32_t)];

// Hard interrupt handlers written in Python run there, too, six calls deep, and what the last one calls has the same margin as
// in a thread.
#define MODTHREAD_INTERRUPT_STACK_TOP ((uint8_t *)interrupt_stack + INTERRUPT_STACK_SIZE)
#define MODTHREAD_INTERRUPT_STACK_LIMIT (INTERRUPT_STACK_SIZE - GUARD_WORDS * sizeof(uint32_t) - MODTHREAD_STACK_MARGIN)

#endif // MODTHREAD_RP2_STACKS_H
