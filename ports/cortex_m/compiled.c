// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Compiled code does not look for pending work, as the VM does at every branch. The tick does it in its place: it lets the
// task that it has interrupted go on in attend_here(), which keeps all registers and flags, and then where it was.
//
// An address in the heap is compiled code, so no C function of MicroPython is active that it has not called itself and
// that could not as well have called bytecode: other threads and callbacks may run there. An exception is raised only at a
// jump backwards, where bytecode raises it, too: between two other instructions a `with` may have its lock, and not yet
// its handler. What unwinds does not depend on where compiled code is: it has an nlr_buf_t, or is left as a whole.

#include <stdbool.h>
#include <stdint.h>

#include "py/gc.h"
#include "py/mpthread.h"
#include "py/objlist.h"
#include "py/runtime.h"

#include "modthread/dither.h"

#include "compiled.h"

// What the processor pushes when it takes an exception (Arm DDI 0403, B1.5.6).
typedef struct _exception_frame_t {
    uint32_t r0_to_r3[4];
    uint32_t r12;
    uint32_t lr;
    uint32_t pc;
    uint32_t xpsr;
} exception_frame_t;

// Bits of the xPSR: amidst an IT block or a load of several registers, where only the same exception's return can go on.
#define XPSR_IT_ICI (0x0600fc00)

static struct {
    uint32_t pc; // where the task goes on
    bool may_raise;
} interrupted; // the one task that owns the GIL

/******************************************************************************/
// Where the task was

// C code in a .mpy file, which is not written for that.
static bool is_native_module(const uint8_t *pc) {
    #if MICROPY_PERSISTENT_CODE_TRACK_FUN_DATA
    mp_obj_list_t *list = MP_OBJ_TO_PTR(MP_STATE_PORT(persistent_code_root_pointers));
    for (size_t i = 0; list != NULL && i < list->len; i++) {
        const uint8_t *code = MP_OBJ_TO_PTR(list->items[i]);
        if (pc >= code && pc < code + gc_nbytes(code)) {
            return true;
        }
    }
    #endif
    return false;
}

static bool is_in_heap(const uint8_t *pc) {
    const mp_state_mem_area_t *area = &MP_STATE_MEM(area);
    #if MICROPY_GC_SPLIT_HEAP
    while (area->next != NULL && (pc < area->gc_pool_start || pc >= area->gc_pool_end)) {
        area = area->next;
    }
    #endif
    return pc >= area->gc_pool_start && pc < area->gc_pool_end;
}

static bool is_compiled(const uint8_t *pc) {
    return is_in_heap(pc) && !is_native_module(pc);
}

// The immediate of so many bits as a signed number of halfwords.
static int32_t sign_extend(uint32_t value, int bits) {
    return (int32_t)(value << (32 - bits)) >> (32 - bits);
}

// How many halfwords a jump goes on after the second one from here; 0 if this is none. Arm DDI 0403, A7.7.12: encodings T1 to T4.
static int32_t jump_distance(const uint16_t *code, bool *conditional) {
    *conditional = false;
    if ((code[0] & 0xf000) == 0xd000 && (code[0] & 0x0e00) != 0x0e00) {
        *conditional = true;
        return sign_extend(code[0], 8);
    }
    if ((code[0] & 0xf800) == 0xe000) {
        return sign_extend(code[0], 11);
    }
    if ((code[0] & 0xf800) == 0xf000 && (code[1] & 0xd000) == 0x9000) {
        return sign_extend((code[0] & 0x3f) << 11 | (code[1] & 0x07ff), 17); // compiled code does not jump farther
    }
    if ((code[0] & 0xf800) == 0xf000 && (code[1] & 0xd000) == 0x8000 && (code[0] & 0x0380) != 0x0380) {
        *conditional = true;
        return sign_extend((code[0] & 0x3f) << 11 | (code[1] & 0x07ff), 17);
    }
    return 0;
}

// The first instruction that MicroPython's compiler puts where a function that catches exceptions installs its nlr_buf_t
// again: add r0, sp, #0. After an exception it jumps backwards to it, and nothing may be raised before (py/emitnative.c).
#define INSTALLS_NLR (0xa800)

static bool is_jump_backwards(const uint16_t *pc) {
    bool conditional;
    int32_t distance = jump_distance(pc, &conditional);
    return distance <= -2 && !(conditional && pc[distance + 2] == INSTALLS_NLR);
}

/******************************************************************************/
// What it does

typedef struct _kept_t {
    uint32_t flags, r12, lr, r0_to_r4[5], pc;
} kept_t;

__attribute__((used)) static void attend(kept_t *kept) {
    kept->pc = interrupted.pc | 1;
    mp_thread_attend(interrupted.may_raise);
}

// Those of the floating-point registers that a function may change; r0 is there for the alignment.
#if __ARM_FP
#define KEEP_FLOATS \
    "vpush {s0-s15}        \n" \
    "vmrs r1, fpscr        \n" \
    "push {r0, r1}         \n"
#define RESTORE_FLOATS \
    "pop {r0, r1}          \n" \
    "vmsr fpscr, r1        \n" \
    "vpop {s0-s15}         \n"
#else
#define KEEP_FLOATS
#define RESTORE_FLOATS
#endif

// In instructions that the Cortex-M0+ has, too; only the last ones restore the flags, and change none after it.
__attribute__((naked)) static void attend_here(void) {
    __asm volatile (
        ".syntax unified       \n"
        "sub sp, #4            \n" // for the pc
        "push {r0-r4}          \n"
        "mrs r0, apsr          \n"
        "mov r1, r12           \n"
        "mov r2, lr            \n"
        "push {r0-r2}          \n"
        "mov r0, sp            \n"
        "mov r4, sp            \n"
        "movs r1, #7           \n" // a function begins with a multiple of 8
        "mov r2, r0            \n"
        "bics r2, r1           \n"
        "mov sp, r2            \n"
        KEEP_FLOATS
        "ldr r1, =attend       \n"
        "blx r1                \n"
        RESTORE_FLOATS
        "mov sp, r4            \n"
        "pop {r0-r2}           \n"
        "msr apsr_nzcvq, r0    \n"
        "mov r12, r1           \n"
        "mov lr, r2            \n"
        "pop {r0-r4, pc}       \n"
        ".ltorg                \n"
        );
}

void compiled_tick(void) {
    static bool has_waited;
    if (!mp_thread_has_work()) {
        has_waited = false;
        return;
    }
    exception_frame_t *frame;
    __asm volatile ("mrs %0, psp" : "=r" (frame));
    if (is_compiled((uint8_t *)frame->pc) && (frame->xpsr & XPSR_IT_ICI) == 0) {
        interrupted.pc = frame->pc;
        interrupted.may_raise = is_jump_backwards((uint16_t *)frame->pc);
        frame->pc = (uint32_t)attend_here & ~1u;
    }
    if (has_waited) {
        dither();
    }
    has_waited = true;
}
