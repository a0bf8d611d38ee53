// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/runtime.h"

#include "class.h"

static mp_obj_t method_call(mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    const class_method_t *self = MP_OBJ_TO_PTR(self_in);
    if (n_args == 0 || !mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(args[0])), *self->of)) {
        mp_raise_TypeError(MP_ERROR_TEXT("argument has wrong type"));
    }
    if (self->n_max != CLASS_KEYWORDS) {
        mp_arg_check_num(n_args, n_kw, self->n_min, self->n_max, false);
    }
    return self->call(n_args, n_kw, args);
}

// Its __name__ is what the class calls it.
static void method_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    if (attr != MP_QSTR___name__ || dest[0] != MP_OBJ_NULL) {
        return;
    }
    const class_method_t *self = MP_OBJ_TO_PTR(self_in);
    const mp_obj_type_t *class = MP_OBJ_TO_PTR(*self->of);
    const mp_map_t *methods = &MP_OBJ_TYPE_GET_SLOT(class, locals_dict)->map;
    for (size_t i = 0; i < methods->alloc; i++) {
        if (methods->table[i].value == self_in) {
            dest[0] = methods->table[i].key;
        }
    }
}

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_method,
    MP_QSTR_function,
    MP_TYPE_FLAG_BINDS_SELF,
    call, method_call,
    attr, method_attr
    );

mp_obj_t class_new(qstr name, const mp_obj_type_t *base, const mp_obj_dict_t *methods, mp_make_new_fun_t make_new) {
    mp_obj_t bases = MP_OBJ_FROM_PTR(base);
    mp_obj_t args[] = { MP_OBJ_NEW_QSTR(name), mp_obj_new_tuple(1, &bases), MP_OBJ_FROM_PTR(methods) };
    mp_obj_t class = mp_call_function_n_kw(MP_OBJ_FROM_PTR(&mp_type_type), MP_ARRAY_SIZE(args), 0, args);
    mp_obj_type_t *type = MP_OBJ_TO_PTR(class);
    type->slots[type->slot_index_make_new - 1] = make_new; // those that inherit from it have that of Python's classes
    return class;
}

mp_obj_t class_make_base(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)n_args;
    (void)n_kw;
    (void)args;
    return mp_const_none;
}

void class_check_variables(mp_obj_t variables) {
    if (!mp_obj_is_type(variables, &mp_type_dict)) {
        mp_raise_TypeError(NULL);
    }
}

static void check_there(const void *class) {
    if (class == NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("threading is not imported"));
    }
}

void *class_malloc(const mp_obj_type_t *class, size_t size) {
    check_there(class);
    class_instance_t *instance = m_malloc(size);
    instance->base.type = class;
    mp_map_init(&instance->members, 0);
    instance->of_type_in_c = mp_const_none;
    return instance;
}

mp_obj_t class_variable(mp_obj_t class, mp_obj_t variables, qstr name) {
    check_there(MP_OBJ_TO_PTR(class));
    return mp_obj_dict_get(variables, MP_OBJ_NEW_QSTR(name));
}
