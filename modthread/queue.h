// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_QUEUE_H
#define MODTHREAD_QUEUE_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_queue;
extern const mp_obj_type_t mp_type_Empty;
extern const mp_obj_type_t mp_type_Full;
extern const mp_obj_type_t mp_type_ShutDown;

#endif // MODTHREAD_QUEUE_H
