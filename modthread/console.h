// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Whose turn it is to print. The raw REPL tells by what it calls, see pyexec_console.h.

#ifndef MODTHREAD_CONSOLE_H
#define MODTHREAD_CONSOLE_H

#include <stdbool.h>

#include "py/mphal.h"

// From now on, until a host enters the raw REPL anew or resets: the bytes 4 and 16 of what is printed there come as 16 and
// the byte with bit 6 set. So a byte 4 is always the raw REPL's own. Needs the GIL; never blocks.
void console_quote(void);

// Wait for input; the main thread only.
int console_rx_chr(void);

// Write for the raw REPL itself. The main thread only; may block, and raises nothing that the port's own does not.
mp_uint_t console_tx_strn(const char *str, size_t len);
void console_tx_str(const char *str);

// A program begins, or it has ended: then the character is negative.
void console_set_interrupt_char(int c);

#endif // MODTHREAD_CONSOLE_H
