// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Transfers of SPI, I2C and UART while other threads run. MicroPython's drivers are compiled as they are, each within a
// file of ours that includes it, and call functions of ours where they would wait.

#ifndef MODTHREAD_RP2_TRANSFER_H
#define MODTHREAD_RP2_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

// A shorter wait is spent looking at the hardware: to park would take about as long.
#define TRANSFER_PARK_MIN_US (200)

// How long a thread that computes needs at most until it gives way.
#define TRANSFER_WAKE_US (40)

// A soft reset deletes who is amidst a transfer: end it, and leave the hardware as it was before. Blocks for as long as a
// FIFO takes to run empty. Needs the GIL.
void spi_end_transfers(void);
void i2c_end_transfers(void);
void uart_end_transfers(void);

#endif // MODTHREAD_RP2_TRANSFER_H
