// This file is part of modthread. SPDX-License-Identifier: MIT
//
// An object whose attributes each thread has for itself: CPython's threading.local.
//
// It is an instance as those of Python's classes are. As its members it has each thread's dictionary, by the thread's
// identifier, where other instances have attributes. So no attribute is among them, for which MicroPython looks there first.
//
// The dictionary of a thread that has ended goes when another thread begins to use the object, or with the object.

#include <string.h>

#include "py/objtype.h"
#include "py/runtime.h"

#include "gil.h"
#include "local.h"

#define ARGUMENTS (MP_OBJ_NEW_SMALL_INT(0)) // no thread's identifier

static mp_attr_fun_t instance_attr; // what classes do with attributes of other instances

static void refuse_arguments(size_t n_args, size_t n_kw) {
    if (n_args + n_kw != 0) {
        mp_raise_TypeError(MP_ERROR_TEXT("Initialization arguments are not supported"));
    }
}

static mp_obj_t ident(void) {
    return MP_OBJ_NEW_SMALL_INT(gil_current->ident);
}

static mp_map_elem_t *find(mp_obj_instance_t *self, mp_obj_t key, mp_map_lookup_kind_t kind) {
    return mp_map_lookup(&self->members, key, kind);
}

static mp_obj_t add_dict(mp_obj_instance_t *self) {
    mp_obj_t dict = mp_obj_new_dict(0);
    find(self, ident(), MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = dict;
    return dict;
}

static mp_obj_instance_t *local_new(const mp_obj_type_t *type) {
    mp_obj_instance_t *self = mp_obj_malloc(mp_obj_instance_t, type);
    mp_map_init(&self->members, 0);
    add_dict(self);
    return self;
}

static mp_obj_t local_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    refuse_arguments(n_args, n_kw);
    return MP_OBJ_FROM_PTR(local_new(type));
}

/******************************************************************************/
// The dictionary of a thread that comes for the first time

static bool lives(mp_obj_t ident) {
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        if (MP_OBJ_NEW_SMALL_INT(thread->ident) == ident) {
            return true;
        }
    }
    return false;
}

static void forget_the_dead(mp_map_t *dicts) {
    for (size_t i = 0; i < dicts->alloc; i++) {
        mp_obj_t key = dicts->table[i].key;
        if (mp_map_slot_is_filled(dicts, i) && key != ARGUMENTS && !lives(key)) {
            mp_map_lookup(dicts, key, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
        }
    }
}

// __init__() with the arguments that the object was made with.
static void initialize(mp_obj_instance_t *self) {
    size_t length = 1;
    mp_obj_t no_arguments = MP_OBJ_NEW_SMALL_INT(0);
    mp_obj_t *kept = &no_arguments; // the number of keywords, and all arguments
    mp_map_elem_t *found = find(self, ARGUMENTS, MP_MAP_LOOKUP);
    if (found != NULL) {
        mp_obj_tuple_get(found->value, &length, &kept);
    }
    size_t n_kw = MP_OBJ_SMALL_INT_VALUE(kept[0]);
    mp_obj_t *call = m_new(mp_obj_t, 1 + length);
    memcpy(call + 2, kept + 1, (length - 1) * sizeof(mp_obj_t));
    mp_load_method(MP_OBJ_FROM_PTR(self), MP_QSTR___init__, call);
    mp_call_method_n_kw(length - 1 - 2 * n_kw, n_kw, call);
}

static bool is_of_a_class(mp_obj_instance_t *self) {
    return self->base.type != &mp_type_thread_local;
}

static mp_obj_t begin(mp_obj_instance_t *self) {
    forget_the_dead(&self->members);
    mp_obj_t dict = add_dict(self);
    if (is_of_a_class(self)) {
        nlr_buf_t nlr;
        if (nlr_push(&nlr) != 0) {
            find(self, ident(), MP_MAP_LOOKUP_REMOVE_IF_FOUND); // it comes for the first time once more
            nlr_jump(nlr.ret_val);
        }
        initialize(self);
        nlr_pop();
    }
    return dict;
}

/******************************************************************************/
// Attributes

static void local_attr(mp_obj_t self_in, qstr attr, mp_obj_t *destination) {
    mp_obj_instance_t *self = MP_OBJ_TO_PTR(self_in);
    mp_map_elem_t *own = find(self, ident(), MP_MAP_LOOKUP);
    mp_obj_t dict = own != NULL ? own->value : begin(self);
    mp_map_t *attributes = mp_obj_dict_get_map(dict);
    mp_obj_t name = MP_OBJ_NEW_QSTR(attr);
    mp_map_elem_t *found = NULL;
    if (destination[0] == MP_OBJ_NULL) { // load
        found = mp_map_lookup(attributes, name, MP_MAP_LOOKUP);
        if (found != NULL || attr == MP_QSTR___dict__) {
            destination[0] = found != NULL ? found->value : dict;
            return;
        }
    } else if (attr == MP_QSTR___dict__) {
        return; // it is read-only
    } else if (destination[1] == MP_OBJ_NULL) { // delete
        if (mp_map_lookup(attributes, name, MP_MAP_LOOKUP_REMOVE_IF_FOUND) != NULL) {
            destination[0] = MP_OBJ_NULL;
            return;
        }
    } else if (!is_of_a_class(self)) { // store
        mp_obj_dict_store(dict, name, destination[1]);
        destination[0] = MP_OBJ_NULL;
    }
    if (is_of_a_class(self)) {
        instance_attr(self_in, attr, destination); // what the class has: defaults, methods, properties, __setattr__()
        found = find(self, name, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
        if (found != NULL) { // stored where all threads would see it
            mp_obj_dict_store(dict, name, found->value);
        }
    }
}

/******************************************************************************/
// Classes that inherit from it

static void keep_arguments(mp_obj_instance_t *self, size_t n_args, const mp_obj_t *args, const mp_map_t *kwargs) {
    size_t length = n_args + 2 * kwargs->used;
    mp_obj_tuple_t *kept = MP_OBJ_TO_PTR(mp_obj_new_tuple(1 + length, NULL));
    kept->items[0] = MP_OBJ_NEW_SMALL_INT(kwargs->used);
    memcpy(kept->items + 1, args, n_args * sizeof(mp_obj_t));
    memcpy(kept->items + 1 + n_args, kwargs->table, 2 * kwargs->used * sizeof(mp_obj_t));
    find(self, ARGUMENTS, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = MP_OBJ_FROM_PTR(kept);
}

// __new__(class, ...) makes what a class of Python's makes, and lets it ask us for its attributes.
static mp_obj_t local_new_of_a_class(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    mp_obj_type_t *type = MP_OBJ_TO_PTR(args[0]);
    if (!mp_obj_is_subclass_fast(args[0], MP_OBJ_FROM_PTR(&mp_type_thread_local))) {
        mp_raise_TypeError(NULL);
    }
    if (MP_OBJ_TYPE_GET_SLOT(type, attr) != local_attr) {
        instance_attr = MP_OBJ_TYPE_GET_SLOT(type, attr);
        type->slots[type->slot_index_attr - 1] = local_attr;
    }
    mp_obj_instance_t *self = local_new(type);
    if (n_args + kwargs->used > 1) {
        keep_arguments(self, n_args - 1, args + 1, kwargs);
    }
    return MP_OBJ_FROM_PTR(self);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(local_new_obj, 1, local_new_of_a_class);

// __init__() for a class that has none. MicroPython gives a function in C no `self` here.
static mp_obj_t local_init(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    (void)args;
    refuse_arguments(n_args, kwargs->used);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(local_init_obj, 0, local_init);

static const mp_rom_map_elem_t local_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR___new__), MP_ROM_PTR(&local_new_obj) },
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&local_init_obj) },
};
static MP_DEFINE_CONST_DICT(local_locals_dict, local_locals_dict_table);

// Like a class of Python's, not like a type in C: else no instance of a class that inherits from it could have its members.
// MicroPython notes in a class that others inherit from it, so this one is not in flash.
mp_obj_type_t mp_type_thread_local = {
    .base = { &mp_type_type },
    .flags = MP_TYPE_FLAG_INSTANCE_TYPE,
    .name = MP_QSTR__local,
    .slot_index_make_new = 1,
    .slot_index_attr = 2,
    .slot_index_locals_dict = 3,
    .slots = { local_make_new, local_attr, &local_locals_dict },
};
