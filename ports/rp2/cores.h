// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Two cores: they exclude each other, and one stops the other.

#ifndef MODTHREAD_RP2_CORES_H
#define MODTHREAD_RP2_CORES_H

#include <stdint.h>

// Interrupts of core 1 run there.
#define CORE_1_STACK_WORDS (256)
extern uint32_t core_1_stack[CORE_1_STACK_WORDS];

// Before the scheduler starts.
void cores_init(void);

// Stop the other core wherever it is, and mask this core's interrupts; nestable. The other core holds no spin lock then
// but that of atomic sections, and may hold what tasks wait for. Returns what cores_continue_other() wants, on the same core.
uint32_t cores_stop_other(void);
void cores_continue_other(uint32_t state);

// Stop the other core for good, as soon as it can; returns at once.
void cores_halt_other(void);

// In core 0's tick: let core 1 look whether it has interrupted compiled code. Never blocks.
void cores_pass_tick_on(void);

// Move the calling task to one of these cores, a bit each, and keep it on them. Returns those where it could run before.
uint32_t cores_move_task(uint32_t cores);

#endif // MODTHREAD_RP2_CORES_H
