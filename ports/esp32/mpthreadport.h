// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Found before MicroPython's own file of this name, and takes its place.

#ifndef MODTHREAD_ESP32_MPTHREADPORT_H
#define MODTHREAD_ESP32_MPTHREADPORT_H

#include "modthread/mpthreadport.h"

// What shared/runtime/gchelper.h has for other processors; see gchelper_xtensa.c.
#ifdef __XTENSA__
typedef uintptr_t gc_helper_regs_t[16];
#endif

// From MicroPython's main.c, once; stack is the lowest address of the main task's.
void mp_thread_init(void *stack, uint32_t stack_len);

#endif // MODTHREAD_ESP32_MPTHREADPORT_H
