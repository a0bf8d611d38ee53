// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_CONDITION_H
#define MODTHREAD_CONDITION_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_condition;

#endif // MODTHREAD_CONDITION_H
