// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MICROPY_INCLUDED_QEMU_STARTUP_H
#define MICROPY_INCLUDED_QEMU_STARTUP_H

#include "py/mpprint.h"

// Restart the board, as its reset button does.
__attribute__((noreturn)) void port_reset(void);

// Prints without the interpreter, the kernel or interrupts.
extern const mp_print_t port_crash_print;

#endif // MICROPY_INCLUDED_QEMU_STARTUP_H
