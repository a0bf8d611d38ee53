// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/network_cyw43.c, whose scan() makes Python objects of what the
// service task finds: here, the thread that waits for it makes them. And what needs much stack looks first.

#ifndef MODTHREAD_RP2_RADIO_SCAN_H
#define MODTHREAD_RP2_RADIO_SCAN_H

#include "py/mphal.h"

#include "lib/cyw43-driver/src/cyw43.h"

#include "modthread/stack.h"
#include "radio.h"

typedef int (*radio_found_t)(void *environment, const cyw43_ev_scan_result_t *found);

// cyw43_wifi_scan(): found() is called in radio_scan_active(). -EBUSY while another thread's scan lasts. Needs the GIL.
int radio_scan(cyw43_t *self, cyw43_wifi_scan_options_t *options, void *environment, radio_found_t found);

// cyw43_wifi_scan_active(): hands over what has been found. Needs the GIL; may raise what found() raises.
bool radio_scan_active(cyw43_t *self);

#ifndef MODTHREAD_RP2_RADIO_C
// The network's name is sent and taken back.
#define cyw43_wifi_set_up(...) (stack_check(STACK_NEED_RADIO_NAME), cyw43_wifi_set_up(__VA_ARGS__))
#define cyw43_deinit(...) (stack_check(STACK_NEED_RADIO_NAME), cyw43_deinit(__VA_ARGS__))

#define cyw43_wifi_scan radio_scan
#define cyw43_wifi_scan_active radio_scan_active
#endif

#endif // MODTHREAD_RP2_RADIO_SCAN_H
