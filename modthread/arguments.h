// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Arguments may be instances of classes written in Python that inherit from what is asked for.

#ifndef MODTHREAD_ARGUMENTS_H
#define MODTHREAD_ARGUMENTS_H

#include "py/obj.h"

// What such an instance has inherited from the type; any other object itself.
mp_obj_t argument_native(mp_obj_t object, const mp_obj_type_t *type);

// An int or a float; any other object itself.
mp_obj_t argument_number(mp_obj_t object);

#endif // MODTHREAD_ARGUMENTS_H
