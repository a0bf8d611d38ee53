// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/objtype.h"

#include "arguments.h"

mp_obj_t argument_native(mp_obj_t object, const mp_obj_type_t *type) {
    if (!mp_obj_is_instance_type(mp_obj_get_type(object))) {
        return object;
    }
    mp_obj_t native = mp_obj_cast_to_native_base(object, MP_OBJ_FROM_PTR(type));
    return native == MP_OBJ_NULL ? object : native;
}

mp_obj_t argument_number(mp_obj_t object) {
    if (mp_obj_is_small_int(object)) {
        return object;
    }
    return argument_native(argument_native(object, &mp_type_int), &mp_type_float);
}
