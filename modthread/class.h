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
    uint8_t n_min; // positional arguments
    uint8_t n_max; // or CLASS_KEYWORDS, if the function looks at all of them itself
} class_method_t;

#define CLASS_KEYWORDS (UINT8_MAX)

extern const mp_obj_type_t mp_type_thread_method;

#define CLASS_METHOD(name, class, function, min, max) \
    static const class_method_t name = { { &mp_type_thread_method }, &(class), function, min, max }

// What property() makes (py/objproperty.c): the functions that load, store and delete, or None.
typedef struct _class_property_t {
    mp_obj_base_t base;
    mp_rom_obj_t functions[3];
} class_property_t;

#define CLASS_PROPERTY(name, load, store, delete) \
    static const class_property_t name = { { &mp_type_property }, { load, store, delete } }

// An instance of such a class, as py/objtype.h has it.
typedef struct _class_instance_t {
    mp_obj_base_t base;
    mp_map_t members;
    mp_obj_t of_type_in_c;
} class_instance_t;

_Static_assert(offsetof(class_instance_t, members) == offsetof(mp_obj_instance_t, members), "an instance");
_Static_assert(offsetof(class_instance_t, of_type_in_c) == offsetof(mp_obj_instance_t, subobj), "an instance");

// Raise TypeError if that is no dictionary.
void class_check_variables(mp_obj_t variables);

// Make such a class. Needs the GIL. Raises MemoryError.
mp_obj_t class_new(qstr name, const mp_obj_type_t *base, const mp_obj_dict_t *methods, mp_make_new_fun_t make_new);

// The constructor of the type in C: it makes nothing, that is for __init__() to do.
mp_obj_t class_make_base(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);

// These raise RuntimeError where the class is not there, and is NULL: before the import of its module, and in a finaliser in a soft
// reset. They need the GIL.

// An instance of the class, without what the type in C has of it: there is nothing yet. It begins a block of that size. Raises
// MemoryError.
void *class_malloc(const mp_obj_type_t *class, size_t size);

// What CPython's class finds among its module's variables is there, too.
mp_obj_t class_variable(mp_obj_t class, mp_obj_t variables, qstr name);

// What the type in C has of the instance, or NULL where nobody has called __init__().
static inline void *class_base_of(mp_obj_t instance, const mp_obj_type_t *base) {
    mp_obj_t object = ((class_instance_t *)MP_OBJ_TO_PTR(instance))->of_type_in_c;
    return mp_obj_is_exact_type(object, base) ? MP_OBJ_TO_PTR(object) : NULL;
}

static inline void class_set_base(mp_obj_t instance, void *base) {
    ((class_instance_t *)MP_OBJ_TO_PTR(instance))->of_type_in_c = MP_OBJ_FROM_PTR(base);
}

#endif // MODTHREAD_CLASS_H
