// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The radio of a Pico W beside threads: these take the place of the functions that its driver calls, see micropython.cmake.

#ifndef MODTHREAD_RP2_RADIO_H
#define MODTHREAD_RP2_RADIO_H

#include "py/mpprint.h"

#include "../cortex_m/floats.h"

// What it takes of a thread's stack to send the network's name: mDNS.
#define STACK_NEED_RADIO_NAME (2560 + FLOATS_SIZE)

// mp_event_handle_nowait() of the driver, which waits with the network's lock: nothing is handled.
void radio_handle_nothing(void);

// mp_printf() of the driver: the main thread prints it later; what is too much is lost. From tasks; never blocks.
int radio_printf(const mp_print_t *print, const char *format, ...);

#endif // MODTHREAD_RP2_RADIO_H
