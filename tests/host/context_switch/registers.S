// This file is part of modthread. SPDX-License-Identifier: MIT

    .syntax unified
    .thumb

    // An addition to or of a high register leaves the flags alone. So do push and pop, which mix the low registers, and
    // the stack pointer's steps, at which it is no multiple of 8.
    .macro mix
    add r8, r0
    add r1, r8
    add r9, r2
    add r3, r9
    add r10, r4
    add r5, r10
    add r11, r6
    add r7, r11
    add r12, r1
    add r0, r12
    add lr, r3
    add r2, lr
    push {r0, r3, r5}
    sub sp, #8
    push {r2, r4}
    pop {r4, r6}
    add sp, #8
    pop {r2, r5, r7}
    add r6, r9
    add r3, r8
    add r0, r10
    .endm

#if __ARM_FP
    // Each of them changes the next one.
    .altmacro
    .macro mix_floats
    vadd.f32 s0, s0, s31
    .set before, 0
    .rept 31
    add_float %before, %(before + 1)
    .set before, before + 1
    .endr
    .endm
    .macro add_float before, n
    vadd.f32 s\n, s\n, s\before
    .endm
    .macro set_float n
    vmov s\n, r0
    .endm
#endif

    .text
    .global hold_registers
    .global hold_registers_begin
    .global hold_registers_end
    .thumb_func
    .type hold_registers, %function
hold_registers:
hold_registers_begin:
#if __ARM_FP
    vpush {s16-s31}
#endif
    push {r4-r7, lr}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    push {r1, r4-r7}
    mov r3, sp
    str r3, [r2]
#if __ARM_FP
    add r3, r0, #64
    vldmia r3!, {s0-s31}
    ldr r3, [r3]
    vmsr fpscr, r3
#endif
    ldmia r0!, {r1-r7}
    mov r8, r1
    mov r9, r2
    mov r10, r3
    mov r11, r4
    mov r12, r5
    mov lr, r6
    adds r0, #4
    msr apsr_nzcvq, r7
    ldmia r0, {r0-r7}

#if __ARM_FP
    .rept 4
    mix
    mix_floats
    .rept 3
    mix
    .endr
    .endr
#else
    .rept 16
    mix
    .endr
#endif

    push {r0-r7}
    mov r7, sp
    mov r0, r8
    mov r1, r9
    mov r2, r10
    mov r3, r11
    mov r4, r12
    mov r5, lr
    mrs r6, apsr
    adds r7, #32
    push {r0-r7}
    ldr r0, [sp, #64]
    .rept 4
    pop {r1-r4}
    stmia r0!, {r1-r4}
    .endr
#if __ARM_FP
    vstmia r0!, {s0-s31}
    vmrs r1, fpscr
    str r1, [r0]
#endif
    pop {r1, r4-r7}
    mov r8, r4
    mov r9, r5
    mov r10, r6
    mov r11, r7
#if __ARM_FP
    pop {r4-r7, lr}
    vpop {s16-s31}
    bx lr
#else
    pop {r4-r7, pc}
#endif
hold_registers_end:
    .size hold_registers, . - hold_registers

#if __ARM_FP
    .global disturb_floats
    .thumb_func
    .type disturb_floats, %function
disturb_floats:
    .set before, 0
    .rept 16
    set_float %before
    .set before, before + 1
    .endr
    vmsr fpscr, r0
    bx lr
    .size disturb_floats, . - disturb_floats
#endif
