// This file is part of modthread. SPDX-License-Identifier: MIT

#include "bus.h"
#include "gil.h"
#include "scheduler.h"

// A thread that has a mutex of its port keeps the GIL.
#ifndef MP_THREAD_HOLDS_PORT_MUTEX
#define MP_THREAD_HOLDS_PORT_MUTEX() (false)
#endif

// How long a thread may keep a bus between two parts of a transfer while another one waits.
#define UNFINISHED_US (1000000)

// A port's service task, which keeps other users of its bus out by a mutex of the port.
static bool in_other_task(void) {
    return !kernel_in_interrupt() && kernel_current_task() != gil_current->task;
}

bool bus_take(bus_t *bus) {
    if (in_other_task()) {
        return false;
    }
    uint32_t self = gil_current->ident;
    if (bus->lock.taken_by == self) {
        bool was_unfinished = bus->unfinished;
        bus->unfinished = false;
        return was_unfinished;
    }
    while (!lock_take(&bus->lock, true, deadline_after_us(UNFINISHED_US))) {
        if (bus->unfinished) {
            bus->unfinished = false;
            bus->lock.taken_by = self;
            break;
        }
    }
    return true;
}

void bus_give(bus_t *bus) {
    lock_give(&bus->lock);
}

void bus_settle(bus_t *bus) {
    if (bus_take(bus)) {
        bus_give(bus);
    }
}

void bus_reset(bus_t *bus) {
    lock_prepare(&bus->lock, LOCK_FREE);
    bus->unfinished = false;
}

bool bus_may_park(void) {
    return gil_pins == 0 && !scheduler_is_locked() && !in_other_task() && !MP_THREAD_HOLDS_PORT_MUTEX();
}
