// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/modbluetooth.c. NimBLE's task calls it, which has a state of its
// own for the time of a call: here, it has that of a guest.

#ifndef MODTHREAD_ESP32_BLUETOOTH_GUEST_H
#define MODTHREAD_ESP32_BLUETOOTH_GUEST_H

#include "py/mpthread.h"
#include "py/runtime.h"

#include "modthread/kernel.h"

// NULL in a task that is no thread of ours.
static inline mp_state_thread_t *thread_state_or_null(void) {
    uint32_t state = kernel_lock(); // threads start and end meanwhile
    uint32_t ident = mp_thread_ident_of_task(xTaskGetCurrentTaskHandle());
    kernel_unlock(state);
    return ident == 0 ? NULL : &mp_state_ctx.thread;
}

#define mp_thread_get_state() thread_state_or_null()
#define mp_thread_set_state(state) ((void)(state))
#define mp_thread_init_state(state, stack_size, locals, globals) \
    mp_thread_enter_guest((state) + 1, (stack_size))

#undef MP_THREAD_GIL_ENTER
#undef MP_THREAD_GIL_EXIT
#define MP_THREAD_GIL_ENTER() // the state comes with it
#define MP_THREAD_GIL_EXIT() mp_thread_leave_guest()

#endif // MODTHREAD_ESP32_BLUETOOTH_GUEST_H
