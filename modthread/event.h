// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_EVENT_H
#define MODTHREAD_EVENT_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_event;

#endif // MODTHREAD_EVENT_H
