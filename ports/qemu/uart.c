// This file is part of modthread. SPDX-License-Identifier: MIT
//
// CMSDK APB UART: Arm DDI 0479 (Cortex-M System Design Kit), section 4.3.

#include <stdint.h>

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/ringbuf.h"
#include "py/runtime.h"

#include "nvic.h"
#include "uart.h"

typedef struct _cmsdk_uart_t {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t ctrl;
    volatile uint32_t intstatus;
    volatile uint32_t bauddiv;
} cmsdk_uart_t;

#define UART0 ((cmsdk_uart_t *)0x40004000)
#define STATE_TX_FULL (1 << 0)
#define STATE_RX_FULL (1 << 1)
#define CTRL_TX_ENABLE (1 << 0)
#define CTRL_RX_ENABLE (1 << 1)
#define CTRL_RX_INTERRUPT (1 << 3)
#define INT_RX (1 << 1)

// Less urgent than configMAX_SYSCALL_INTERRUPT_PRIORITY, for it calls the kernel.
#define RX_PRIORITY (0x80)

// More than two windows of the raw-paste protocol, so that nothing sent with flow control is lost.
static uint8_t rx_memory[1024];
static ringbuf_t rx_buffer = { rx_memory, sizeof(rx_memory), 0, 0 };

void uart_init(void) {
    UART0->bauddiv = 16;
    UART0->ctrl = CTRL_TX_ENABLE | CTRL_RX_ENABLE | CTRL_RX_INTERRUPT;
    nvic_enable(UART_RX_IRQ, RX_PRIORITY);
}

// A full buffer drops what comes, as any UART does; the interrupt character gets through nevertheless.
void uart_rx_handler(void) {
    UART0->intstatus = INT_RX;
    while (UART0->state & STATE_RX_FULL) {
        uint8_t c = UART0->data;
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(&rx_buffer, c);
        }
    }
    #if MICROPY_PY_THREAD
    mp_thread_notify();
    #endif
}

int uart_rx(void) {
    return ringbuf_get(&rx_buffer);
}

bool uart_rx_any(void) {
    return ringbuf_avail(&rx_buffer) != 0;
}

bool uart_tx_ready(void) {
    return !(UART0->state & STATE_TX_FULL);
}

void uart_tx(char c) {
    while (!uart_tx_ready()) {
    }
    UART0->data = (uint8_t)c;
}
