// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MICROPY_INCLUDED_QEMU_STARTUP_H
#define MICROPY_INCLUDED_QEMU_STARTUP_H

// Restart the board, as its reset button does.
__attribute__((noreturn)) void port_reset(void);

// Say what has happened, without the interpreter, the kernel or interrupts, and restart the board.
__attribute__((noreturn, format(printf, 1, 2))) void port_crash(const char *format, ...);

#endif // MICROPY_INCLUDED_QEMU_STARTUP_H
