// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's py/objtype.c: no class has the lock as a base. Its type can be called, and
// MicroPython takes such types.

#include "lock.h"

static mp_obj_t make_type(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);

static mp_obj_t type_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    if (n_args == 3) {
        lock_refuse_as_base(args[1]);
    }
    return make_type(type, n_args, n_kw, args);
}

#define type_make_new(type, n_args, n_kw, args) make_type(type, n_args, n_kw, args)
