// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The registers of a thread, for the garbage collector. With register windows those of the functions that have not
// returned may be in the processor: they are moved to the stack, the first four of each function just below the stack
// frame of the one that it has called, the others into its own frame (Xtensa ISA, windowed ABI).

#include <string.h>

#include "py/gc.h"
#include "py/mpstate.h"
#include "py/mpthread.h"

#include "esp_cpu.h"
#include "xtensa/hal.h"

// Those of our caller, and of its callers. While a thread is outside some of these return, and what others call then is
// laid over the places below their frames.
#define FRAMES (sizeof(gc_helper_regs_t) / (4 * sizeof(uintptr_t)))

uintptr_t gc_helper_get_regs_and_sp(uintptr_t *regs);

uintptr_t gc_helper_get_regs_and_sp(uintptr_t *regs) {
    xthal_window_spill();
    const uintptr_t *first = (const uintptr_t *)esp_cpu_get_sp() - 4;
    const uintptr_t *four = first;
    for (size_t i = 0; i < FRAMES; i++) {
        memcpy(regs + 4 * i, four, 4 * sizeof(uintptr_t));
        four = (const uintptr_t *)four[1] - 4; // the second is the stack pointer
    }
    return (uintptr_t)first;
}

// In place of the one of MicroPython's port (gccollect.c), whose function calls itself until all windows have gone to the
// stack: compilers may put such a function into itself, so that few of them go, and objects that are in use are freed.
void __wrap_gc_collect(void);

void __wrap_gc_collect(void) {
    gc_helper_regs_t regs;
    gc_collect_start();
    void **stack = (void **)gc_helper_get_regs_and_sp(regs);
    gc_collect_root(stack, (void **)MP_STATE_THREAD(stack_top) - stack);
    mp_thread_gc_others();
    gc_collect_end();
}
