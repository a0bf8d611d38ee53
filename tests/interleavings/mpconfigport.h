// This file is part of modthread. SPDX-License-Identifier: MIT
//
// MicroPython's configuration for the explorer: its core on the host, with what the firmware has of threads.

#include <alloca.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL                (MICROPY_CONFIG_ROM_LEVEL_CORE_FEATURES)

#define MICROPY_PY_SYS_PLATFORM                 "explorer"

#ifndef MICROPY_PY_THREAD // modthread compiles py/vm.c without
#define MICROPY_PY_THREAD                       (1)
#endif
#if MICROPY_PY_THREAD
#define MICROPY_MPTHREADPORT_H                  "modthread/mpthreadport.h"
#endif
#define MICROPY_STACK_CHECK                     (1)
#define MICROPY_STACK_CHECK_MARGIN              (4096) // what the explorer and the C library need upon a thread's stack
#define MODTHREAD_STACK_SIZE_DEFAULT            (16384)
// Interrupts run on the stack of the task that they interrupt, whoever's state is there: it is not checked.
#define MODTHREAD_INTERRUPT_STACK_TOP           ((char *)16)
#define MODTHREAD_INTERRUPT_STACK_LIMIT         UINTPTR_MAX
#define MODTHREAD_GUESTS                        (1)

#define MICROPY_ENABLE_COMPILER                 (1)
#define MICROPY_ENABLE_GC                       (1)
#define MICROPY_ENABLE_FINALISER                (1)
#define MICROPY_ENABLE_SCHEDULER                (1)
#define MICROPY_SCHEDULER_DEPTH                 (8)
#define MICROPY_SCHEDULER_STATIC_NODES          (1)
#define MICROPY_KBD_EXCEPTION                   (1)
#define MICROPY_FLOAT_IMPL                      (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_LONGINT_IMPL                    (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_ERROR_REPORTING                 (MICROPY_ERROR_REPORTING_NORMAL)
#define MICROPY_ENABLE_SOURCE_LINE              (1)
#define MICROPY_PY_TIME                         (1)
#define MICROPY_PY_TIME_TICKS_PERIOD            (1 << 30)
#define MICROPY_PY_GC                           (1)
#define MICROPY_PY_MICROPYTHON                  (1)

// Each branch of the interpreter is a point.
#define MICROPY_VM_HOOK_LOOP                    model_branch();
void model_branch(void);

// The core's own atomic sections are not explored: nothing that modthread replaces has any.
#define MICROPY_BEGIN_ATOMIC_SECTION()          (0)
#define MICROPY_END_ATOMIC_SECTION(state)       (void)(state)

#define MP_STATE_PORT MP_STATE_VM
#define MP_SSIZE_MAX INTPTR_MAX
#define MP_INT_TYPE                             (MP_INT_TYPE_INTPTR)
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef long mp_off_t;
