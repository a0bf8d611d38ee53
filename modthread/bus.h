// This file is part of modthread. SPDX-License-Identifier: MIT
//
// A bus of the chip that several threads use: one transfer after the other, while other threads run.

#ifndef MODTHREAD_BUS_H
#define MODTHREAD_BUS_H

#include "lock.h"

typedef struct _bus_t {
    mp_obj_thread_lock_t lock;
    bool unfinished; // its owner has more to transfer before others may, and may never do it
} bus_t;

#define BUS_FREE { .lock = { .base = { &mp_type_thread_lock }, .taken_by = LOCK_FREE } }

// Wait until the bus is free, and take it; true if bus_give() is to follow, false if the calling thread has it already or is no
// Python thread. Needs the GIL. Raises what is pending for the thread, and RuntimeError where nothing may wait.
bool bus_take(bus_t *bus);

// Give it to the first who waits. Never blocks.
void bus_give(bus_t *bus);

// Wait until no transfer is under way: before the bus is initialised. Like bus_take().
void bus_settle(bus_t *bus);

// A soft reset has ended whatever was under way.
void bus_reset(bus_t *bus);

// True if the calling thread may park until a transfer has ended.
bool bus_may_park(void);

#endif // MODTHREAD_BUS_H
