// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the port's fault handler needs of MicroPython: main.c has it.

#ifndef MPPRINT_H
#define MPPRINT_H

typedef struct _mp_print_t {
    int unused;
} mp_print_t;

int mp_printf(const mp_print_t *print, const char *format, ...);

#endif // MPPRINT_H
