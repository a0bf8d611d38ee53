// This file is part of modthread. SPDX-License-Identifier: MIT
//
// lwIP and the radio of a Pico W beside threads.
//
// The network's lock is pendsv_suspend() and pendsv_resume() (service.c). Whoever has it has the GIL as well, and keeps
// that, or is the service task, which never waits for the GIL: so nobody waits for the lock while its owner waits. And
// nothing of Python happens in the service task: no callback, no allocation, no printing, no exception.
//
// So these take the place of the functions that MicroPython's files call, see micropython.cmake.

#ifndef MODTHREAD_RP2_NETWORK_H
#define MODTHREAD_RP2_NETWORK_H

#include "py/mpprint.h"

// What it takes of a thread's stack to send something: TCP, and mDNS.
#define STACK_NEED_NETWORK (1600 + FLOATS_SIZE)
#define STACK_NEED_NETWORK_NAME (2560 + FLOATS_SIZE)

// mp_event_wait_ms() where a socket waits: it ends when the network has done something. In the thread that waits; needs
// the GIL, but not the lock. Exceptions end it.
void network_wait_ms(mp_uint_t ms);

// Threads are deleted in the middle of a wait: nothing is written any more to where they wait.
void network_forget_waiting(void);

// mp_event_handle_nowait() of the radio's driver, which waits with the lock: nothing is handled.
void network_handle_nothing(void);

// mp_printf() of the radio's driver: the main thread prints it later; what is too much is lost. From tasks; never blocks.
int network_printf(const mp_print_t *print, const char *format, ...);

#endif // MODTHREAD_RP2_NETWORK_H
