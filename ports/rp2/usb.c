// This file is part of modthread. SPDX-License-Identifier: MIT
//
// USB and its serial line: takes the place of shared/tinyusb/mp_usbd.c and of most of mp_usbd_cdc.c.
//
// The service task runs TinyUSB, so that the line lives whatever Python threads do. Where machine.USBDevice is in use,
// TinyUSB calls Python code: then it runs on the main thread, as a callback of the scheduler.

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/mpstate.h"
#include "py/ringbuf.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/interrupt_char.h"
#include "shared/tinyusb/mp_usbd.h"
#include "shared/tinyusb/mp_usbd_cdc.h"

#include "device/dcd.h"
#include "tusb.h"

#include "modthread/gil.h"
#include "../cortex_m/service.h"
#include "usb.h"

// A host has opened the line and may not listen yet: what was printed before is sent so much later.
#define FLUSH_TICKS (pdMS_TO_TICKS(16))

static volatile bool input_left; // more has come than stdin_ringbuf could take

// Ctrl-C drops what came before: the position in stdin_ringbuf up to which, or -1. Only who reads moves iget.
static volatile int drop_until = -1;

static bool calls_python(void) {
    return MP_STATE_VM(usbd) != MP_OBJ_NULL;
}

// Where TinyUSB calls Python, only the main thread runs it, and cannot be amidst it when another one wants to.
static void serve_python(void) {
    if (gil_current == &thread_main) {
        mp_usbd_task();
    } else {
        service_notify();
    }
}

/******************************************************************************/
// TinyUSB's task

static TickType_t flush_after_connecting(void) {
    static bool was_connected;
    static TickType_t connected_at;
    if (!tud_cdc_connected()) {
        was_connected = false;
        return KERNEL_FOREVER;
    }
    if (!was_connected) {
        was_connected = true;
        connected_at = kernel_ticks();
    }
    TickType_t elapsed = kernel_ticks() - connected_at;
    if (elapsed < FLUSH_TICKS) {
        return FLUSH_TICKS - elapsed;
    }
    tud_cdc_write_flush();
    return KERNEL_FOREVER;
}

TickType_t usb_service(void) {
    static mp_sched_node_t node;
    if (!tud_inited()) {
        return KERNEL_FOREVER;
    }
    if (calls_python()) {
        mp_sched_schedule_node(&node, mp_usbd_task_callback);
        return KERNEL_FOREVER;
    }
    tud_task_ext(0, false);
    if (input_left) {
        tud_cdc_rx_cb(0);
    }
    return flush_after_connecting();
}

void mp_usbd_schedule_task(void) {
    service_notify();
}

// TinyUSB has an event for its task: from its interrupt, and from tasks.
#if MICROPY_VERSION < MICROPY_MAKE_VERSION(1, 26, 0) // whose linker flags name this function
void __real_dcd_event_handler(dcd_event_t const *event, bool in_isr);
void __wrap_dcd_event_handler(dcd_event_t const *event, bool in_isr) {
    __real_dcd_event_handler(event, in_isr);
    service_notify();
}
#else
void tud_event_hook_cb(uint8_t rhport, uint32_t event, bool in_isr) {
    (void)rhport;
    (void)event;
    (void)in_isr;
    service_notify();
}
#endif

void mp_usbd_hex_str(char *out_str, const uint8_t *bytes, size_t bytes_len) {
    for (size_t i = 0; i < bytes_len; i++) {
        for (int shift = 4; shift >= 0; shift -= 4) {
            *out_str++ = "0123456789abcdef"[(bytes[i] >> shift) & 0xf];
        }
    }
    *out_str = '\0';
}

/******************************************************************************/
// Input

static void take_input(int c) {
    if (c == mp_interrupt_char) {
        drop_until = ringbuf_avail(&stdin_ringbuf) != 0 ? stdin_ringbuf.iput : -1;
        mp_sched_keyboard_interrupt();
    } else {
        ringbuf_put(&stdin_ringbuf, c);
    }
}

// Input has come, or there is room for what is left of it.
void tud_cdc_rx_cb(uint8_t itf) {
    uint32_t available = tud_cdc_n_available(itf);
    for (; available != 0 && ringbuf_free(&stdin_ringbuf) != 0; available--) {
        take_input(tud_cdc_n_read_char(itf));
    }
    input_left = available != 0;
    mp_thread_notify();
}

static void drop_input_before_interrupt(void) {
    uint32_t state = kernel_lock();
    if (drop_until >= 0) {
        stdin_ringbuf.iget = drop_until;
        drop_until = -1;
    }
    kernel_unlock(state);
}

static void ask_for_input_left(void) {
    if (input_left && ringbuf_free(&stdin_ringbuf) != 0) {
        if (calls_python()) {
            tud_cdc_rx_cb(0);
        } else {
            service_notify();
        }
    }
}

static bool may_write(void) {
    return !tud_cdc_connected() || tud_cdc_write_available() != 0;
}

uintptr_t mp_usbd_cdc_poll_interfaces(uintptr_t poll_flags) {
    if (calls_python()) {
        serve_python();
    }
    drop_input_before_interrupt();
    ask_for_input_left();
    uintptr_t ready = 0;
    if ((poll_flags & MP_STREAM_POLL_RD) && ringbuf_avail(&stdin_ringbuf) != 0) {
        ready |= MP_STREAM_POLL_RD;
    }
    if ((poll_flags & MP_STREAM_POLL_WR) && may_write()) {
        ready |= MP_STREAM_POLL_WR;
    }
    return ready;
}

/******************************************************************************/
// Output

void tud_cdc_tx_complete_cb(uint8_t itf) {
    (void)itf;
    mp_thread_notify();
}

// Wait until the host has read something; false if it does not, or if nothing may wait here. Needs the GIL, and lets
// other threads run; in the main thread callbacks run meanwhile, and exceptions end it.
static bool wait_until_writable(void) {
    if (may_write()) {
        return true;
    }
    if (xPortIsInsideInterrupt()) {
        return false;
    }
    mp_uint_t start = mp_hal_ticks_ms();
    do {
        mp_event_wait_ms(1);
        if (calls_python()) {
            serve_python();
        }
    } while (!may_write() && mp_hal_ticks_ms() - start < MICROPY_HW_USB_CDC_TX_TIMEOUT);
    return may_write();
}

// While no host listens the last of what is written is kept for the next one.
mp_uint_t mp_usbd_cdc_tx_strn(const char *str, mp_uint_t len) {
    mp_uint_t written = 0;
    while (tud_inited() && written < len && wait_until_writable()) {
        uint32_t now = tud_cdc_write(str + written, len - written);
        tud_cdc_write_flush();
        if (now == 0) {
            break;
        }
        written += now;
    }
    return written;
}
