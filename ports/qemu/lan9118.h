// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The Ethernet controller of the MPS2 boards. No two calls at a time, but of the interrupt's handler.

#ifndef MICROPY_INCLUDED_QEMU_LAN9118_H
#define MICROPY_INCLUDED_QEMU_LAN9118_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAN9118_IRQ (13)

// The longest frame, without its checksum.
#define LAN9118_FRAME_MAX (1514)

// Words that any frame fits in, with its checksum.
#define LAN9118_FRAME_WORDS ((LAN9118_FRAME_MAX + 4 + 3) / 4)

// Reset the chip, which takes its address from its memory, and let it send and receive. Blocks for some microseconds.
void lan9118_start(uint8_t address[6]);

// Neither send, nor receive, nor interrupt any more.
void lan9118_stop(void);

// Whether a cable is plugged in, and the other side agrees.
bool lan9118_has_link(void);

// Take the next frame; returns its size, 0 if there is none.
size_t lan9118_receive(uint32_t words[LAN9118_FRAME_WORDS]);

// Send a frame. False if the chip has no room for it now.
bool lan9118_send(const uint32_t *words, size_t size);

// Something has come, or the link has changed: the handler calls lan9118_on_interrupt(), which a user of this provides, and
// does so again after lan9118_listen() only. All that comes after lan9118_acknowledge() interrupts again.
void lan9118_handler(void);
void lan9118_on_interrupt(void);
void lan9118_acknowledge(void);
void lan9118_listen(void);

#endif // MICROPY_INCLUDED_QEMU_LAN9118_H
