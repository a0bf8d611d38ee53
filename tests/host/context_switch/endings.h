// This file is part of modthread. SPDX-License-Identifier: MIT
//
// How the test ends: a task runs the one of these that the build names as ENDING.

#ifndef ENDINGS_H
#define ENDINGS_H

void return_at_once(void);

// What a Cortex-M0 refuses, with 0x10101010 in r0, 0x11111111 in r1, and so on to 0x1c1c1c1c in r12, but for r7.
void undefined_instruction(void);
void even_pointer(void); // a call of hold_registers() as if it were ARM code
void unaligned_word(void);
void unaligned_halfword(void);
void no_memory(void);
void overflow(void); // where there is a limit
void no_stack(void); // what the processor pushes goes nowhere

#endif // ENDINGS_H
