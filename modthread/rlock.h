// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_RLOCK_H
#define MODTHREAD_RLOCK_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_rlock;

#endif // MODTHREAD_RLOCK_H
