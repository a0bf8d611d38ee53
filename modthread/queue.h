// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_QUEUE_H
#define MODTHREAD_QUEUE_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_queue;
extern const mp_obj_type_t mp_type_Empty;
extern const mp_obj_type_t mp_type_Full;
extern const mp_obj_type_t mp_type_ShutDown;

// put() in a _Queue; returns false if it is shut down. Needs the GIL. Raises TypeError for anything else.
bool queue_put_unless_shut_down(mp_obj_t queue, mp_obj_t item);

#endif // MODTHREAD_QUEUE_H
