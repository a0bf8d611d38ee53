// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Vector table, start, reset, and what the board says before it restarts after a crash.

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>

#include "py/mpprint.h"

#include "ports/cortex_m/fault.h"
#include "ports/cortex_m/guard.h"
#if MICROPY_PY_LWIP && MICROPY_PY_THREAD
#include "ports/cortex_m/service.h"
#endif
#include "alarm.h"
#include "lan9118.h"
#include "startup.h"
#include "uart.h"

#define AIRCR (*(volatile uint32_t *)0xe000ed0c)
#define AIRCR_VECTKEY (0x05fa << 16)
#define AIRCR_SYSRESETREQ (1 << 2)

extern uint32_t _estack, _sidata, _sdata, _edata, _sbss, _ebss;
extern uint32_t interrupt_stack[];

int main(void);

const guarded_stack_t guarded_stacks[] = {
    { interrupt_stack, "interrupts" },
    #if MICROPY_PY_LWIP && MICROPY_PY_THREAD
    { service_stack, "task service" },
    #endif
    { 0 },
};

void Reset_Handler(void) {
    for (uint32_t *from = &_sidata, *to = &_sdata; to < &_edata;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &_sbss; to < &_ebss;) {
        *to++ = 0;
    }
    guard_stacks();
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
        uart_tx(str[i]);
    }
}
static const mp_print_t crash_print = { NULL, print_strn };

const mp_print_t *fault_begin(void) {
    __asm volatile ("cpsid i");
    return &crash_print;
}

void fault_end(void) {
    port_reset();
}

void port_crash(const char *format, ...) {
    const mp_print_t *print = fault_begin();
    va_list arguments;
    va_start(arguments, format);
    mp_printf(print, "\r\n*** ");
    mp_vprintf(print, format, arguments);
    va_end(arguments);
    fault_print_stack(print);
    fault_end();
}

#ifndef NDEBUG

// What assert() of the C library calls.
void __assert_func(const char *file, int line, const char *function, const char *expression) {
    port_crash("assertion failed at %s:%d in %s(): %s", file, line, function, expression);
}

#endif

// Provided by the kernel, or by clock.c in a build without it.
void SVC_Handler(void);
void PendSV_Handler(void);
void SysTick_Handler(void);

#if !MICROPY_PY_THREAD
#define SVC_Handler fault_handler
#define PendSV_Handler fault_handler
#endif
#if !MODTHREAD
#define alarm_handler fault_handler
#endif
#if !MICROPY_PY_LWIP
#define lan9118_handler fault_handler
#endif

__attribute__((section(".vectors"), used)) static const void *const vectors[16 + 32] = {
    [0] = &_estack,
    [1] = Reset_Handler,
    [2 ... 10] = fault_handler,
    [11] = SVC_Handler,
    [12 ... 13] = fault_handler,
    [14] = PendSV_Handler,
    [15] = SysTick_Handler,
    [16 + UART_RX_IRQ] = uart_rx_handler,
    [16 + UART_RX_IRQ + 1 ... 16 + ALARM_IRQ - 1] = fault_handler,
    [16 + ALARM_IRQ] = alarm_handler,
    [16 + ALARM_IRQ + 1 ... 16 + LAN9118_IRQ - 1] = fault_handler,
    [16 + LAN9118_IRQ] = lan9118_handler,
    [16 + LAN9118_IRQ + 1 ... 16 + 31] = fault_handler,
};
