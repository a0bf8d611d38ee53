// This file is part of modthread. SPDX-License-Identifier: MIT
//
// MicroPython's asyncio has one event loop. A second one in another thread would run tasks of the first one: it is an error.

#ifndef MODTHREAD_EVENT_LOOP_H
#define MODTHREAD_EVENT_LOOP_H

#include "py/obj.h"

// A module has been loaded, or none if that is MP_QSTRnull: if it is asyncio.core, guard the functions that run the loop.
// Needs the GIL. Raises MemoryError.
void event_loop_guard(qstr module);

// A soft reset has deleted the other threads: no loop runs.
void event_loop_reset(void);

#endif // MODTHREAD_EVENT_LOOP_H
