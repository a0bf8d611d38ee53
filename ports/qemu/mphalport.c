// This file is part of modthread. SPDX-License-Identifier: MIT

#include "extmod/misc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "py/stream.h"

#if MICROPY_PY_THREAD
#include "modthread/kernel.h"
#endif

#include "uart.h"

/******************************************************************************/
// Console

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = mp_os_dupterm_poll(poll_flags);
    if ((poll_flags & MP_STREAM_POLL_RD) && uart_rx_any()) {
        ready |= MP_STREAM_POLL_RD;
    }
    if ((poll_flags & MP_STREAM_POLL_WR) && uart_tx_ready()) {
        ready |= MP_STREAM_POLL_WR;
    }
    return ready;
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = uart_rx();
        if (c < 0) {
            c = mp_os_dupterm_rx_chr();
        }
        if (c >= 0) {
            return c;
        }
        #if MICROPY_PY_THREAD
        mp_thread_wait_for_notify();
        #else
        mp_event_wait_indefinite();
        #endif
    }
}

// While nobody reads what the board says, other threads go on.
static void wait_until_ready_to_send(void) {
    #if MICROPY_PY_THREAD
    MP_THREAD_GIL_EXIT();
    while (!uart_tx_ready()) {
        kernel_take(1); // nobody gives it: that takes the GIL
    }
    MP_THREAD_GIL_ENTER();
    #endif
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (!uart_tx_ready()) {
            wait_until_ready_to_send();
        }
        uart_tx(str[i]);
    }
    mp_os_dupterm_tx_strn(str, len);
    return len;
}

/******************************************************************************/
// Delays

void mp_hal_delay_ms(mp_uint_t ms) {
    #if MICROPY_PY_THREAD
    mp_thread_delay_ms(ms);
    #else
    mp_uint_t start = mp_hal_ticks_ms();
    do {
        mp_event_wait_ms(1);
    } while (mp_hal_ticks_ms() - start <= ms);
    #endif
}

void mp_hal_delay_us(mp_uint_t us) {
    #if MICROPY_PY_THREAD
    mp_thread_delay_us(us);
    #else
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
    }
    #endif
}
