// This file is part of modthread. SPDX-License-Identifier: MIT
//
// As ports/cortex_m/compiled.c does it, which says why: the interrupt lets the task that it has interrupted go on in
// attend_here(), which keeps all registers, and then where it was.

#include <stdbool.h>
#include <stdint.h>

#include "py/mpthread.h"
#include "py/runtime.h"

#include "esp_attr.h"
#include "riscv/rvruntime-frames.h"

#include "modthread/dither.h"
#include "modthread/kernel.h"

#include "compiled.h"

static struct {
    uint32_t pc; // where the task goes on
    bool may_raise;
} interrupted; // the one task that owns the GIL

/******************************************************************************/
// Where compiled code is

typedef struct _code_t {
    struct _code_t *next;
    const uint8_t *start;
    const uint8_t *end;
} code_t;

static code_t *all_code;

// Where MicroPython's port puts machine code. What is relocated is C code in a .mpy file, which is not written for this.
void *__real_esp_native_code_commit(void *buf, size_t len, void *reloc);
void *__wrap_esp_native_code_commit(void *buf, size_t len, void *reloc);
void *__wrap_esp_native_code_commit(void *buf, size_t len, void *reloc) {
    uint8_t *start = __real_esp_native_code_commit(buf, len, reloc);
    code_t *code = reloc == NULL ? kernel_malloc(sizeof(code_t)) : NULL;
    if (code != NULL) { // else it keeps the GIL
        code->start = start;
        code->end = start + len;
        uint32_t state = kernel_lock();
        code->next = all_code;
        all_code = code;
        kernel_unlock(state);
    }
    return start;
}

void compiled_reset(void) {
    while (all_code != NULL) {
        code_t *code = all_code;
        all_code = code->next;
        kernel_free(code);
    }
}

static bool IRAM_ATTR is_compiled(const uint8_t *pc) {
    const code_t *code = all_code;
    while (code != NULL && (pc < code->start || pc >= code->end)) {
        code = code->next;
    }
    return code != NULL;
}

/******************************************************************************/
// Where the task was: The RISC-V Instruction Set Manual, volume I, "RV32I" and "C" extension

// So many bits of an instruction from `from` on, as those of a number from `to` on.
#define BITS(code, from, count, to) ((((code) >> (from)) & ((1u << (count)) - 1)) << (to))

static int32_t IRAM_ATTR sign_extend(uint32_t value, int bits) {
    return (int32_t)(value << (32 - bits)) >> (32 - bits);
}

// How many bytes a jump goes on from here; 0 if this is none. The registers are in the frame by their numbers, and the pc is
// in the place of the first one.
static int32_t IRAM_ATTR jump_distance(const uint16_t *pc, const RvExcFrame *frame, bool *conditional) {
    uint32_t code = pc[0];
    *conditional = false;
    if ((code & 0xe003) == 0xa001) { // C.J
        return sign_extend(BITS(code, 12, 1, 11) | BITS(code, 11, 1, 4) | BITS(code, 9, 2, 8) | BITS(code, 8, 1, 10)
            | BITS(code, 7, 1, 6) | BITS(code, 6, 1, 7) | BITS(code, 3, 3, 1) | BITS(code, 2, 1, 5), 12);
    }
    if ((code & 0xc003) == 0xc001) { // C.BEQZ, C.BNEZ
        *conditional = true;
        return sign_extend(BITS(code, 12, 1, 8) | BITS(code, 10, 2, 3) | BITS(code, 5, 2, 6) | BITS(code, 3, 2, 1)
            | BITS(code, 2, 1, 5), 9);
    }
    code |= (uint32_t)pc[1] << 16;
    if ((code & 0x7f) == 0x63) { // BEQ and the others
        *conditional = true;
        return sign_extend(BITS(code, 31, 1, 12) | BITS(code, 7, 1, 11) | BITS(code, 25, 6, 5) | BITS(code, 8, 4, 1), 13);
    }
    if ((code & 0x7fff) == 0x67) { // JALR without a link, which may end a conditional jump that is far
        *conditional = true;
        const uint32_t *registers = (const uint32_t *)frame;
        return registers[BITS(code, 15, 5, 0)] + sign_extend(code >> 20, 12) - (uint32_t)pc;
    }
    return 0;
}

// The first instruction that MicroPython's compiler puts where a function that catches exceptions installs its nlr_buf_t
// again: the address of a local variable goes to a0, by C.ADDI4SPN, ADDI or, where it is far, C.LUI. After an exception it
// jumps backwards to it, and nothing may be raised before (py/emitnative.c, py/asmrv32.c).
static bool IRAM_ATTR installs_nlr(const uint16_t *pc) {
    return (pc[0] & 0xe01f) == 0x0008 || (pc[0] == 0x0513 && (pc[1] & 0x000f) == 0x0001) || (pc[0] & 0xef83) == 0x6501;
}

static bool IRAM_ATTR is_jump_backwards(const uint16_t *pc, const RvExcFrame *frame) {
    bool conditional;
    int32_t distance = jump_distance(pc, frame, &conditional);
    return distance < 0 && !(conditional && installs_nlr(pc + distance / 2));
}

/******************************************************************************/
// What it does

// Returns where the task goes on: others may be interrupted meanwhile.
__attribute__((used)) static uint32_t attend(void) {
    uint32_t pc = interrupted.pc;
    mp_thread_attend(interrupted.may_raise);
    return pc;
}

// A jump would need a register. The return from an interrupt does not, and nothing may interrupt it: MIE is cleared, MPIE
// sets it again, and MPP stays as it is for tasks.
__attribute__((naked)) static void attend_here(void) {
    __asm volatile (
        "addi sp, sp, -64     \n"
        "sw ra, 0(sp)         \n"
        "sw t0, 4(sp)         \n"
        "sw t1, 8(sp)         \n"
        "sw t2, 12(sp)        \n"
        "sw a0, 16(sp)        \n"
        "sw a1, 20(sp)        \n"
        "sw a2, 24(sp)        \n"
        "sw a3, 28(sp)        \n"
        "sw a4, 32(sp)        \n"
        "sw a5, 36(sp)        \n"
        "sw a6, 40(sp)        \n"
        "sw a7, 44(sp)        \n"
        "sw t3, 48(sp)        \n"
        "sw t4, 52(sp)        \n"
        "sw t5, 56(sp)        \n"
        "sw t6, 60(sp)        \n"
        "call attend          \n"
        "csrci mstatus, 8     \n"
        "csrw mepc, a0        \n"
        "li a0, 0x1880        \n"
        "csrs mstatus, a0     \n"
        "lw ra, 0(sp)         \n"
        "lw t0, 4(sp)         \n"
        "lw t1, 8(sp)         \n"
        "lw t2, 12(sp)        \n"
        "lw a0, 16(sp)        \n"
        "lw a1, 20(sp)        \n"
        "lw a2, 24(sp)        \n"
        "lw a3, 28(sp)        \n"
        "lw a4, 32(sp)        \n"
        "lw a5, 36(sp)        \n"
        "lw a6, 40(sp)        \n"
        "lw a7, 44(sp)        \n"
        "lw t3, 48(sp)        \n"
        "lw t4, 52(sp)        \n"
        "lw t5, 56(sp)        \n"
        "lw t6, 60(sp)        \n"
        "addi sp, sp, 64      \n"
        "mret                 \n"
        );
}

// When it is interrupted the kernel has a task's stack pointer in the first word of its TCB, and there the registers are
// (ESP-IDF: components/riscv/vectors.S, freertos/FreeRTOS-Kernel/portable/riscv/portasm.S).
void IRAM_ATTR compiled_tick(void) {
    static bool has_waited;
    if (!mp_thread_has_work()) {
        has_waited = false;
        return;
    }
    RvExcFrame *frame = *(RvExcFrame **)kernel_current_task();
    if (xPortInIsrContext() == 1 && is_compiled((const uint8_t *)frame->mepc)) {
        interrupted.pc = frame->mepc;
        interrupted.may_raise = is_jump_backwards((const uint16_t *)frame->mepc, frame);
        frame->mepc = (uint32_t)attend_here;
    }
    if (has_waited) {
        dither();
    }
    has_waited = true;
}
