// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_LOCAL_H
#define MODTHREAD_LOCAL_H

#include "py/obj.h"

extern mp_obj_type_t mp_type_thread_local;

#endif // MODTHREAD_LOCAL_H
