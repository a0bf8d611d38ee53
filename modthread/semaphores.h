// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_SEMAPHORES_H
#define MODTHREAD_SEMAPHORES_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_semaphore;
extern const mp_obj_type_t mp_type_thread_bounded_semaphore;

#endif // MODTHREAD_SEMAPHORES_H
