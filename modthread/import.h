// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The import lock, one for each module as CPython has it: a thread that imports what another one is importing waits until
// that is done, and imports it itself if that has failed. Where two wait for each other, the second one gets the module as
// it is, half made.

#ifndef MODTHREAD_IMPORT_H
#define MODTHREAD_IMPORT_H

#include "py/obj.h"

// What py/builtinimport.c and py/runtime.c have for mp_map_lookup() and for mp_builtin___import__(). Need the GIL.
mp_map_elem_t *import_map_lookup(mp_map_t *map, mp_obj_t key, mp_map_lookup_kind_t kind);
mp_obj_t import_module(size_t n_args, const mp_obj_t *args);

// A soft reset has deleted the other threads: nobody imports anything.
void import_reset(void);

#endif // MODTHREAD_IMPORT_H
