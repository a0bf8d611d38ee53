// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What MicroPython's rp2 port dispatches through PendSV, which belongs to the kernel here (pendsv.h): the service task runs it,
// and USB.

#include "py/mpconfig.h"
#include "py/mpthread.h"
#include "pendsv.h"

#include "../cortex_m/service.h"
#include "usb.h"

static volatile pendsv_dispatch_t dispatched[PENDSV_DISPATCH_NUM_SLOTS];

TickType_t service_run_locked(void) {
    for (size_t i = 0; i < PENDSV_DISPATCH_NUM_SLOTS; i++) {
        pendsv_dispatch_t function = dispatched[i];
        if (function != NULL) {
            dispatched[i] = NULL;
            function();
            #if MICROPY_PY_LWIP
            mp_thread_notify(); // a socket may have what a thread waits for
            #endif
        }
    }
    return KERNEL_FOREVER;
}

TickType_t service_run(void) {
    return usb_service();
}

/******************************************************************************/
// pendsv.h

void pendsv_init(void) {
}

void pendsv_suspend(void) {
    service_lock();
}

void pendsv_resume(void) {
    service_unlock();
}

void pendsv_schedule_dispatch(size_t slot, pendsv_dispatch_t function) {
    dispatched[slot] = function;
    service_notify();
}

bool pendsv_is_pending(size_t slot) {
    return dispatched[slot] != NULL;
}
