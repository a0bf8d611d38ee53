// This file is part of modthread. SPDX-License-Identifier: MIT
//
// A class like one of Python's, whose methods are in C.
//
// The methods of a type in C get an instance of that type, even if they are called for an instance of a class that inherits
// from it: they cannot call what that class overrides. So the class is made as Python's are. It inherits from a type in C, which
// has what its methods work on, and its dictionary is in flash.

#ifndef MODTHREAD_CLASS_H
#define MODTHREAD_CLASS_H

#include "py/objtype.h"

// A function in C that is bound to an instance, as Python's functions are.
typedef struct _class_method_t {
    mp_obj_base_t base;
    const mp_obj_t *of; // the class: the first argument is an instance of it
    mp_obj_t (*call)(size_t n_args, size_t n_kw, const mp_obj_t *args);
    uint16_t n_max; // arguments, all of them positional; or CLASS_KEYWORDS, if the function looks at them itself
} class_method_t;

#define CLASS_KEYWORDS (UINT16_MAX)

extern const mp_obj_type_t mp_type_thread_method;

#define CLASS_METHOD(name, class, function, max) \
    static const class_method_t name = { { &mp_type_thread_method }, &(class), function, max }

// What property() makes (py/objproperty.c): the functions that load, store and delete, or None.
typedef struct _class_property_t {
    mp_obj_base_t base;
    mp_rom_obj_t functions[3];
} class_property_t;

#define CLASS_PROPERTY(name, load, store, delete) \
    static const class_property_t name = { { &mp_type_property }, { load, store, delete } }

// Make such a class. Needs the GIL. Raises MemoryError.
mp_obj_t class_new(qstr name, const mp_obj_type_t *base, const mp_obj_dict_t *methods, mp_make_new_fun_t make_new);

// What the type in C has of the instance, or NULL where nobody has called __init__().
static inline void *class_base_of(mp_obj_t instance, const mp_obj_type_t *base) {
    mp_obj_t object = ((mp_obj_instance_t *)MP_OBJ_TO_PTR(instance))->subobj[0];
    return mp_obj_is_exact_type(object, base) ? MP_OBJ_TO_PTR(object) : NULL;
}

#endif // MODTHREAD_CLASS_H
