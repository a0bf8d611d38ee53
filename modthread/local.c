// This file is part of modthread. SPDX-License-Identifier: MIT
//
// An object whose attributes each thread has for itself: CPython's threading.local.
//
// Those of a thread that has ended go when another thread begins to use the object, or with the object.

#include "py/runtime.h"

#include "gil.h"
#include "local.h"

// Fits into one GC block.
typedef struct _mp_obj_thread_local_t {
    mp_obj_base_t base;
    mp_obj_t dicts; // a thread's identifier: the dictionary of its attributes
} mp_obj_thread_local_t;

static mp_obj_t local_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    if (n_args + n_kw != 0) {
        mp_raise_TypeError(MP_ERROR_TEXT("Initialization arguments are not supported"));
    }
    mp_obj_thread_local_t *self = mp_obj_malloc(mp_obj_thread_local_t, type);
    self->dicts = MP_OBJ_NULL; // the collector may look at it now
    self->dicts = mp_obj_new_dict(0);
    return MP_OBJ_FROM_PTR(self);
}

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
        if (mp_map_slot_is_filled(dicts, i) && !lives(dicts->table[i].key)) {
            mp_map_lookup(dicts, dicts->table[i].key, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
        }
    }
}

// The calling thread's.
static mp_obj_t own_dict(mp_obj_thread_local_t *self) {
    mp_map_t *dicts = mp_obj_dict_get_map(self->dicts);
    mp_obj_t ident = MP_OBJ_NEW_SMALL_INT(gil_current->ident);
    mp_map_elem_t *found = mp_map_lookup(dicts, ident, MP_MAP_LOOKUP);
    if (found != NULL) {
        return found->value;
    }
    forget_the_dead(dicts);
    mp_obj_t dict = mp_obj_new_dict(0);
    mp_obj_dict_store(self->dicts, ident, dict);
    return dict;
}

static void local_attr(mp_obj_t self, qstr attr, mp_obj_t *destination) {
    mp_obj_t dict = own_dict(MP_OBJ_TO_PTR(self));
    mp_map_t *attributes = mp_obj_dict_get_map(dict);
    mp_obj_t name = MP_OBJ_NEW_QSTR(attr);
    if (destination[0] == MP_OBJ_NULL) { // load
        mp_map_elem_t *found = mp_map_lookup(attributes, name, MP_MAP_LOOKUP);
        if (found != NULL) {
            destination[0] = found->value;
        } else if (attr == MP_QSTR___dict__) {
            destination[0] = dict;
        }
    } else if (destination[1] != MP_OBJ_NULL) { // store
        mp_obj_dict_store(dict, name, destination[1]);
        destination[0] = MP_OBJ_NULL;
    } else if (mp_map_lookup(attributes, name, MP_MAP_LOOKUP_REMOVE_IF_FOUND) != NULL) {
        destination[0] = MP_OBJ_NULL;
    }
}

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_local,
    MP_QSTR__local,
    MP_TYPE_FLAG_NONE,
    make_new, local_make_new,
    attr, local_attr
    );
