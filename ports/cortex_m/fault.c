// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Exceptions and their stack frames: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B1.5, Arm DDI 0419 (Armv6-M),
// B1.5, and Arm DDI 0553 (Armv8-M), B3.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "guard.h"

#define RAM_START (0x20000000)
#define STACK_WORDS (256)
#define WORDS_IN_LINE (8)
#define FRAME_WORDS (8)
#define FLOATS_WORDS (18) // above them, for s0 to s15 and FPSCR

#define EXC_RETURN_NO_FLOATS (1u << 4)
#define XPSR_FRAME_ALIGNED (1u << 9) // with a word above it

#define CFSR (*(volatile uint32_t *)0xe000ed28)
#define CFSR_STACK_LIMIT (1u << 20) // nothing is pushed below the limit
#define BFAR (*(volatile uint32_t *)0xe000ed38)

extern uint32_t fault_ram_end; // from the linker

static void print_register(const mp_print_t *print, const char *name, uint32_t value, const char *end) {
    mp_printf(print, "%s=%08x%s", name, (unsigned)value, end);
}

static bool is_in_ram(const uint32_t *words, size_t size) {
    uintptr_t start = (uintptr_t)words;
    return start >= RAM_START && start % sizeof(uint32_t) == 0 && start <= (uintptr_t)&fault_ram_end - size;
}

static void print_stack(const mp_print_t *print, const uint32_t *sp) {
    for (int i = 0; i < STACK_WORDS && is_in_ram(sp, sizeof(*sp)); i++) {
        if (i % WORDS_IN_LINE == 0) {
            mp_printf(print, "\r\n%08x:", (unsigned)(uintptr_t)sp);
        }
        mp_printf(print, " %08x", (unsigned)*sp++);
    }
    mp_printf(print, "\r\n");
}

void fault_print_stack(const mp_print_t *print) {
    const uint32_t *sp;
    __asm volatile ("mrs %0, psp" : "=r" (sp));
    print_stack(print, sp);
}

static bool limit_reached(void) {
    #if __ARM_ARCH >= 8
    return (CFSR & CFSR_STACK_LIMIT) != 0;
    #else
    return false;
    #endif
}

// Where the processor could push nothing, the stack pointer is the limit.
static bool is_at_limit(const uint32_t *sp) {
    #if __ARM_ARCH >= 8
    const uint32_t *limit;
    __asm volatile ("mrs %0, psplim" : "=r" (limit));
    return limit_reached() && sp == limit;
    #else
    (void)sp;
    return false;
    #endif
}

// What comes first is the cause.
static void print_overflow(const mp_print_t *print) {
    const char *overflowed = guard_overflowed();
    mp_printf(print, "\r\n*** ");
    if (overflowed != NULL) {
        mp_printf(print, "stack overflow in %s, then ", overflowed);
    } else if (limit_reached()) {
        mp_printf(print, "stack overflow in ");
        fault_print_task(print);
        mp_printf(print, ", then ");
    }
}

// What the exception has pushed.
static size_t words_of_frame(uint32_t xpsr, uint32_t exception_return) {
    size_t words = FRAME_WORDS + ((xpsr & XPSR_FRAME_ALIGNED) != 0);
    #if __ARM_FP
    words += (exception_return & EXC_RETURN_NO_FLOATS) != 0 ? 0 : FLOATS_WORDS;
    #else
    (void)exception_return;
    #endif
    return words;
}

// frame: r0 to r3, r12, lr, pc, xPSR as the processor stacked them; saved: r8 to r11, r4 to r7.
__attribute__((used, noreturn)) static void report(const uint32_t *frame, const uint32_t *saved, uint32_t exception_return) {
    static const char *const names[] = { "HardFault", "MemManage", "BusFault", "UsageFault" };
    static const char *const registers[] = { "r8", "r9", "r10", "r11", "r4", "r5", "r6", "r7" };
    static const uint32_t lost[FRAME_WORDS];
    const uint32_t *sp = frame;
    bool at_limit = is_at_limit(frame);
    bool is_lost = !is_in_ram(frame, sizeof(lost));
    if (at_limit || is_lost) {
        frame = lost; // nothing could be pushed there, and a fault in a fault locks the processor up
    }
    if (!at_limit) {
        sp += words_of_frame(frame[7], exception_return);
    }
    uint32_t exception;
    __asm volatile ("mrs %0, ipsr" : "=r" (exception));
    const mp_print_t *print = fault_begin();
    print_overflow(print);
    const char *name = exception >= 3 && exception <= 6 ? names[exception - 3] : "unexpected interrupt";
    const char *what_is_lost = at_limit ? ", registers lost," : is_lost ? ", stack pointer lost," : "";
    mp_printf(print, "%s (exception %u)%s at ", name, (unsigned)exception, what_is_lost);
    print_register(print, "pc", frame[6], " ");
    print_register(print, "lr", frame[5], "\r\n");
    print_register(print, "r0", frame[0], " ");
    print_register(print, "r1", frame[1], " ");
    print_register(print, "r2", frame[2], " ");
    print_register(print, "r3", frame[3], " ");
    print_register(print, "r12", frame[4], "\r\n");
    for (int i = 0; i < 8; i++) {
        print_register(print, registers[i], saved[i], i == 7 ? "\r\n" : " ");
    }
    print_register(print, "sp", (uint32_t)(uintptr_t)sp, " ");
    print_register(print, "xpsr", frame[7], " ");
    #if __ARM_ARCH >= 7
    print_register(print, "cfsr", CFSR, " ");
    print_register(print, "bfar", BFAR, " ");
    #endif
    print_register(print, "exc_return", exception_return, "");
    print_stack(print, sp);
    fault_end();
}

// In instructions that the Cortex-M0+ has, too.
__attribute__((naked)) void fault_handler(void) {
    __asm volatile (
        "movs r0, #4         \n" // which stack was in use
        "mov r1, lr          \n"
        "tst r0, r1          \n"
        "bne 1f              \n"
        "mrs r0, msp         \n"
        "b 2f                \n"
        "1:                  \n"
        "mrs r0, psp         \n"
        "2:                  \n"
        "push {r4-r7}        \n"
        "mov r4, r8          \n"
        "mov r5, r9          \n"
        "mov r6, r10         \n"
        "mov r7, r11         \n"
        "push {r4-r7}        \n"
        "mov r1, sp          \n"
        "mov r2, lr          \n"
        "bl report           \n"
        );
}
