// This file is part of modthread. SPDX-License-Identifier: MIT
//
// lwIP beside threads, for ports whose service task (cortex_m/service.h) runs it: its lock is lwIP's, too. These take the
// place of the functions that MicroPython's files call.

#ifndef MODTHREAD_LWIP_NETWORK_H
#define MODTHREAD_LWIP_NETWORK_H

#include "py/mpconfig.h"

#include "../cortex_m/floats.h"

// What it takes of a thread's stack to send something by TCP.
#define STACK_NEED_NETWORK (1600 + FLOATS_SIZE)

// mp_event_wait_ms() where a socket waits: it ends when the network has done something. In the thread that waits; needs
// the GIL, but not the lock. Exceptions end it.
void network_wait_ms(mp_uint_t ms);

// Threads are deleted in the middle of a wait: nothing is written any more to where they wait.
void network_forget_waiting(void);

#endif // MODTHREAD_LWIP_NETWORK_H
