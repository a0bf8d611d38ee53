// This file is part of modthread. SPDX-License-Identifier: MIT

#include <assert.h>

#include "py/mpconfig.h"
#include "py/misc.h"

#include "modthread/gil.h"
#include "guard.h"
#include "service.h"

#define SERVICE_PRIORITY (MODTHREAD_TASK_PRIORITY + 1)

static TaskHandle_t service_task;

uint32_t service_stack[SERVICE_STACK_WORDS];

/******************************************************************************/
// The lock

static struct {
    TaskHandle_t owner;
    uint16_t depth; // 0: nobody has it
    bool missed; // the service task wanted it
} lock;

static bool try_lock(void) {
    TaskHandle_t self = kernel_current_task();
    uint32_t state = kernel_lock();
    bool is_free = lock.depth == 0 || lock.owner == self;
    if (is_free) {
        lock.owner = self;
        lock.depth++;
    }
    if (self == service_task) {
        lock.missed = !is_free;
    }
    kernel_unlock(state);
    return is_free;
}

static inline bool may_lock(void) {
    TaskHandle_t task = kernel_current_task();
    return task == service_task || task == gil_current->task || xTaskGetSchedulerState() != taskSCHEDULER_RUNNING;
}

void service_lock(void) {
    assert(may_lock());
    while (!try_lock()) {
        // the service task of another core has it, and waits for nothing
    }
}

void service_unlock(void) {
    uint32_t state = kernel_lock();
    if (--lock.depth == 0 && lock.missed) {
        kernel_give(service_task);
    }
    kernel_unlock(state);
}

bool service_is_locked_here(void) {
    return lock.depth != 0 && lock.owner == kernel_current_task();
}

/******************************************************************************/
// The task

static TickType_t run_locked(void) {
    if (!try_lock()) {
        return KERNEL_FOREVER; // service_unlock() comes back to it
    }
    TickType_t ticks = service_run_locked();
    service_unlock();
    return ticks;
}

static void serve(void *argument) {
    (void)argument;
    for (;;) {
        TickType_t ticks = run_locked();
        kernel_take(MIN(ticks, service_run()));
    }
}

void service_start(const char *name) {
    static StaticTask_t tcb;
    service_task = xTaskCreateStatic(serve, name, SERVICE_STACK_WORDS - GUARD_WORDS, NULL, SERVICE_PRIORITY,
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
