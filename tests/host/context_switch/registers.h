// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

// In the order in which registers.S loads and stores them.
typedef struct _registers_t {
    uint32_t r8_to_r12[5];
    uint32_t lr;
    uint32_t flags; // of xPSR: N, Z, C and V
    uint32_t sp; // filled in
    uint32_t r0_to_r7[8];
    #if __ARM_FP
    float s0_to_s31[32];
    uint32_t fpscr;
    #endif
} registers_t;

// Load all registers, compute with all of them, and store what they have become. No instruction between changes the
// flags; each of the others changes what a later one uses, so none can be left out, repeated or misplaced unseen.
// sp_before is where the stack pointer was, and has to be again.
void hold_registers(const registers_t *before, registers_t *after, uint32_t *sp_before);

#if __ARM_FP
// Put that into those floating-point registers that a function may change.
void disturb_floats(uint32_t word);
#endif

// Its instructions.
extern const uint16_t hold_registers_begin[];
extern const uint16_t hold_registers_end[];

#endif // REGISTERS_H
