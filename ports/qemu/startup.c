// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Vector table, start, reset, and what the board says before it restarts after a crash.
// Exceptions and their stack frames: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B1.5.

#include <assert.h>
#include <stdint.h>

#include "py/mpprint.h"

#include "startup.h"
#include "uart.h"

#define AIRCR (*(volatile uint32_t *)0xe000ed0c)
#define CFSR (*(volatile uint32_t *)0xe000ed28)
#define BFAR (*(volatile uint32_t *)0xe000ed38)
#define AIRCR_VECTKEY (0x05fa << 16)
#define AIRCR_SYSRESETREQ (1 << 2)

extern uint32_t _estack, _sidata, _sdata, _edata, _sbss, _ebss;

int main(void);

void Reset_Handler(void) {
    for (uint32_t *from = &_sidata, *to = &_sdata; to < &_edata;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &_sbss; to < &_ebss;) {
        *to++ = 0;
    }
    main();
    port_reset();
}

void port_reset(void) {
    __asm volatile ("dsb");
    AIRCR = AIRCR_VECTKEY | AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

// Straight to the UART: after a crash nothing else can be trusted.
static void print_strn(void *env, const char *str, size_t len) {
    (void)env;
    for (size_t i = 0; i < len; i++) {
        if (str[i] == '\n') {
            uart_tx('\r');
        }
        uart_tx(str[i]);
    }
}
const mp_print_t port_crash_print = { NULL, print_strn };

#ifndef NDEBUG

// What assert() of the C library calls.
void __assert_func(const char *file, int line, const char *function, const char *expression) {
    __asm volatile ("cpsid i");
    mp_printf(&port_crash_print, "\n*** assertion failed at %s:%d in %s(): %s\n", file, line, function, expression);
    port_reset();
}

#endif

// frame: r0 to r3, r12, lr, pc, xPSR as the processor stacked them; saved: r4 to r11.
__attribute__((used)) static void report_fault(const uint32_t *frame, const uint32_t *saved, uint32_t exception_return) {
    static const char *const names[] = { "HardFault", "MemManage", "BusFault", "UsageFault" };
    const mp_print_t *print = &port_crash_print;
    uint32_t exception;
    __asm volatile ("mrs %0, ipsr" : "=r" (exception));
    const char *name = exception >= 3 && exception <= 6 ? names[exception - 3] : "unexpected interrupt";
    mp_printf(print, "\n*** %s (exception %u) at pc=%08x lr=%08x\n", name, (unsigned)exception, (unsigned)frame[6], (unsigned)frame[5]);
    for (int i = 0; i < 4; i++) {
        mp_printf(print, "r%d=%08x ", i, (unsigned)frame[i]);
    }
    mp_printf(print, "r12=%08x\n", (unsigned)frame[4]);
    for (int i = 0; i < 8; i++) {
        mp_printf(print, "r%d=%08x ", i + 4, (unsigned)saved[i]);
    }
    mp_printf(print, "\nsp=%08x xpsr=%08x cfsr=%08x bfar=%08x exc_return=%08x\n", (unsigned)(uintptr_t)(frame + 8),
        (unsigned)frame[7], (unsigned)CFSR, (unsigned)BFAR, (unsigned)exception_return);
    port_reset();
}

__attribute__((naked)) static void Fault_Handler(void) {
    __asm volatile (
        "tst lr, #4          \n" // which stack was in use
        "ite eq              \n"
        "mrseq r0, msp       \n"
        "mrsne r0, psp       \n"
        "ldr r2, =_estack    \n" // a stack that has overflowed cannot be used
        "mov r3, sp          \n"
        "mov sp, r2          \n"
        "push {r4-r11}       \n"
        "mov r1, sp          \n"
        "mov r2, lr          \n"
        "b report_fault      \n"
        );
}

// Provided by the kernel, or by clock.c in a build without it.
void SVC_Handler(void);
void PendSV_Handler(void);
void SysTick_Handler(void);

#if !MICROPY_PY_THREAD
void SVC_Handler(void) __attribute__((alias("Fault_Handler")));
void PendSV_Handler(void) __attribute__((alias("Fault_Handler")));
#endif

__attribute__((section(".vectors"), used)) static const void *const vectors[16 + 32] = {
    [0] = &_estack,
    [1] = Reset_Handler,
    [2 ... 10] = Fault_Handler,
    [11] = SVC_Handler,
    [12 ... 13] = Fault_Handler,
    [14] = PendSV_Handler,
    [15] = SysTick_Handler,
    [16 + UART_RX_IRQ] = uart_rx_handler,
    [16 + UART_RX_IRQ + 1 ... 16 + 31] = Fault_Handler,
};
