// This file is part of modthread. SPDX-License-Identifier: MIT

    .syntax unified
    .thumb
    .text

    .macro function name
    .global \name
    .thumb_func
    .type \name, %function
\name:
    .endm

    .macro number_registers
    ldr r0, =0x18181818
    mov r8, r0
    ldr r0, =0x19191919
    mov r9, r0
    ldr r0, =0x1a1a1a1a
    mov r10, r0
    ldr r0, =0x1b1b1b1b
    mov r11, r0
    ldr r0, =0x1c1c1c1c
    mov r12, r0
    ldr r0, =0x10101010
    ldr r1, =0x11111111
    ldr r2, =0x12121212
    ldr r3, =0x13131313
    ldr r4, =0x14141414
    ldr r5, =0x15151515
    ldr r6, =0x16161616
    .endm

    .macro ending name, r7, instruction
    function \name
    number_registers
    ldr r7, =\r7
    \instruction
    bx lr
    .size \name, . - \name
    .ltorg
    .endm

function return_at_once
    bx lr
    .size return_at_once, . - return_at_once

ending undefined_instruction, 0x17171717, "udf #0"
ending even_pointer, hold_registers_begin, "blx r7"
ending unaligned_word, hold_registers_begin + 2, "ldr r0, [r7]"
ending unaligned_halfword, hold_registers_begin + 1, "ldrh r0, [r7]"
ending no_memory, 0xa0000000, "ldr r0, [r7]"

#if __ARM_ARCH >= 8
function overflow
    number_registers
1:
    push {r0-r6, r8-r12}
    b 1b
    .size overflow, . - overflow
    .ltorg
#endif

function no_stack
    number_registers
    ldr r7, =0xa0000000
    mov sp, r7
    udf #0
    .size no_stack, . - no_stack
    .ltorg
