// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The pin: C code that calls Python while it walks or changes a structure keeps other threads out until that call returns.
// Who is pinned keeps the GIL, also while it waits, and callbacks come afterwards. An exception ends the pin, too.
//
// C code without such a call is never interrupted. So it is enough to pin each call: nobody comes between from the first
// one to the end of the C function. These take the place of the functions that MicroPython's files name: see micropython.mk.

#ifndef MODTHREAD_PIN_H
#define MODTHREAD_PIN_H

#include "py/obj.h"
#include "py/runtime.h"

// mp_obj_equal(), mp_unary_op() and mp_binary_op(), pinned where they may call Python. Need the GIL.
bool pin_equal(mp_obj_t left, mp_obj_t right);
mp_obj_t pin_unary_op(mp_unary_op_t op, mp_obj_t operand);
mp_obj_t pin_binary_op(mp_binary_op_t op, mp_obj_t left, mp_obj_t right);

// mp_call_function_n_kw(), pinned. Needs the GIL.
mp_obj_t pin_call(mp_obj_t function, size_t n_args, size_t n_kw, const mp_obj_t *args);

// list.sort() as MicroPython has it. Its own name is that of the pinned one, see pinned_sort.h.
mp_obj_t list_sort_unpinned(size_t n_args, const mp_obj_t *args, mp_map_t *keywords);

// What to print of a dict: a copy, if others may change it meanwhile. Raises MemoryError. Needs the GIL.
mp_obj_t pin_printed_dict(mp_obj_t dict);

#endif // MODTHREAD_PIN_H
