// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_MICROPYTHON_RELEASES_H
#define MODTHREAD_MICROPYTHON_RELEASES_H

// What differs between the releases of MicroPython, in the words of the newest.

#include "py/runtime.h"

#if MICROPY_VERSION < MICROPY_MAKE_VERSION(1, 27, 0)
typedef bool mp_handle_pending_behaviour_t;
#define MP_HANDLE_PENDING_CALLBACKS_AND_CLEAR_EXCEPTIONS (false)
#define MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS (true)
#define MP_HANDLE_PENDING_EXCEPTIONS(behaviour) (true)
#else
#define MP_HANDLE_PENDING_EXCEPTIONS(behaviour) ((behaviour) != MP_HANDLE_PENDING_CALLBACKS_ONLY)
#endif

#endif // MODTHREAD_MICROPYTHON_RELEASES_H
