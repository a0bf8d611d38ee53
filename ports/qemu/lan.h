// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The network interface: lwIP on the Ethernet controller. It is off after a reset and after a soft reset, and costs nothing then.
// All of this needs the GIL.

#ifndef MICROPY_INCLUDED_QEMU_LAN_H
#define MICROPY_INCLUDED_QEMU_LAN_H

#include <stdbool.h>

// Once, before any of it.
void lan_init(void);

// Switch it on, and ask for an address; nothing happens if it is on. Raises OSError.
void lan_start(void);

// Switch it off. All connections end.
void lan_stop(void);

bool lan_is_active(void);

// A cable is plugged in. False if it is off.
bool lan_has_link(void);

struct netif;
struct netif *lan_netif(void);

// In a firmware without threads, where something waits: do what is to be done.
void lan_poll(void);

#endif // MICROPY_INCLUDED_QEMU_LAN_H
