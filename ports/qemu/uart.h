// This file is part of modthread. SPDX-License-Identifier: MIT
//
// UART0, the board's console.

#ifndef MICROPY_INCLUDED_QEMU_UART_H
#define MICROPY_INCLUDED_QEMU_UART_H

#include <stdbool.h>

#define UART_RX_IRQ (0)

void uart_init(void);

// The next character received, or -1. Never blocks.
int uart_rx(void);
bool uart_rx_any(void);

// True if uart_tx() would not wait.
bool uart_tx_ready(void);

// Send a character; waits, busily, until the UART takes it.
void uart_tx(char c);

void uart_rx_handler(void);

#endif // MICROPY_INCLUDED_QEMU_UART_H
