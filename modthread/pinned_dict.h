// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's py/objdict.c: its function that prints a dict calls Python, or waits for
// the console, between a key and its value.

#include "pin.h"

#define mp_obj_equal(left, right) pin_equal(left, right)

static void print_dict_in_place(const mp_print_t *print, mp_obj_t dict, mp_print_kind_t kind);

static void dict_print(const mp_print_t *print, mp_obj_t dict, mp_print_kind_t kind) {
    print_dict_in_place(print, pin_printed_dict(dict), kind);
}

#define dict_print(print, dict, kind) print_dict_in_place(print, dict, kind)
