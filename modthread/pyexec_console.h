// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before shared/runtime/pyexec.c (micropython.mk), so that console.c sees what the raw REPL does.

#ifndef MODTHREAD_PYEXEC_CONSOLE_H
#define MODTHREAD_PYEXEC_CONSOLE_H

#include "console.h"
#include "shared/runtime/interrupt_char.h"

#undef mp_hal_stdin_rx_chr
#undef mp_hal_stdout_tx_strn
#undef mp_hal_stdout_tx_str
#define mp_hal_stdin_rx_chr console_rx_chr
#define mp_hal_stdout_tx_strn console_tx_strn
#define mp_hal_stdout_tx_str console_tx_str
#define mp_hal_set_interrupt_char console_set_interrupt_char

#endif // MODTHREAD_PYEXEC_CONSOLE_H
