// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mpconfig.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "pendsv.h"
#include "pico/mutex.h"

#include "modthread/gil.h"
#include "../cortex_m/guard.h"
#include "service.h"
#include "usb.h"

#define SERVICE_PRIORITY (MODTHREAD_TASK_PRIORITY + 1)

static TaskHandle_t service_task;

uint32_t service_stack[SERVICE_STACK_WORDS];

// Who has it keeps dispatched functions from running.
auto_init_recursive_mutex(dispatch_mutex);
static volatile pendsv_dispatch_t dispatched[PENDSV_DISPATCH_NUM_SLOTS];

static void run_dispatched(void) {
    if (!recursive_mutex_try_enter(&dispatch_mutex, NULL)) {
        return; // pendsv_resume() comes back to them
    }
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
    recursive_mutex_exit(&dispatch_mutex);
}

static void service(void *argument) {
    (void)argument;
    for (;;) {
        run_dispatched();
        kernel_take(usb_service());
    }
}

void service_start(void) {
    static StaticTask_t tcb;
    service_task = xTaskCreateStatic(service, "usb", SERVICE_STACK_WORDS - GUARD_WORDS, NULL, SERVICE_PRIORITY,
        service_stack + GUARD_WORDS, &tcb);
    #if configNUMBER_OF_CORES > 1
    vTaskCoreAffinitySet(service_task, 1 << 0); // with its interrupts: TinyUSB's driver wants both on one core
    #endif
}

void service_notify(void) {
    uint32_t state = kernel_lock();
    kernel_give(service_task);
    kernel_unlock(state);
}

/******************************************************************************/
// pendsv.h

void pendsv_init(void) {
}

// Who has the mutex keeps the GIL, or is the service task, which needs none: see network.h.
static inline bool may_suspend(void) {
    TaskHandle_t task = kernel_current_task();
    return task == service_task || task == gil_current->task || xTaskGetSchedulerState() != taskSCHEDULER_RUNNING;
}

void pendsv_suspend(void) {
    assert(may_suspend());
    recursive_mutex_enter_blocking(&dispatch_mutex);
}

void pendsv_resume(void) {
    recursive_mutex_exit(&dispatch_mutex);
    for (size_t i = 0; i < PENDSV_DISPATCH_NUM_SLOTS; i++) {
        if (dispatched[i] != NULL) {
            service_notify();
            return;
        }
    }
}

bool service_is_suspended_here(void) {
    return dispatch_mutex.owner == lock_get_caller_owner_id();
}

void pendsv_schedule_dispatch(size_t slot, pendsv_dispatch_t function) {
    dispatched[slot] = function;
    service_notify();
}

bool pendsv_is_pending(size_t slot) {
    return dispatched[slot] != NULL;
}
