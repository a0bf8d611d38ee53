// This file is part of modthread. SPDX-License-Identifier: MIT
//
// MicroPython's configuration for QEMU's MPS2 boards.

#include <alloca.h>
#include <stdbool.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL                (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_HW_BOARD_NAME                   "MPS2_AN385"
#define MICROPY_HW_MCU_NAME                     "Cortex-M3"
#define MICROPY_PY_SYS_PLATFORM                 "qemu"
#define MICROPY_HW_CPU_HZ                       (25000000)

#define MICROPY_HEAP_SIZE                       (512 * 1024)
#define MICROPY_MAIN_STACK_SIZE                 (16 * 1024)
// What C code may use between two checks, and what it takes to raise an exception.
#define MICROPY_STACK_CHECK_MARGIN              (1024)

// Threads. The build without them says so on the compiler's command line, as modthread does for some files.
#ifndef MICROPY_PY_THREAD
#define MICROPY_PY_THREAD                       (1)
#endif
#if MICROPY_PY_THREAD
#define MICROPY_MPTHREADPORT_H                  "modthread/mpthreadport.h"
#endif

// Code
#define MICROPY_EMIT_THUMB                      (1)
#define MICROPY_EMIT_INLINE_THUMB               (1)
#define MICROPY_MAKE_POINTER_CALLABLE(p)        ((void *)((mp_uint_t)(p) | 1))
#define MICROPY_PERSISTENT_CODE_LOAD            (1)
#define MP_NEED_LOG2                            (1) // the C library's is a macro

// Interpreter
#define MICROPY_USE_INTERNAL_ERRNO              (1) // numbers as on the other boards
#define MICROPY_ALLOC_PATH_MAX                  (128) // import has it on the stack
#define MICROPY_ENABLE_GC                       (1)
#define MICROPY_MEM_STATS                       (0)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF  (1)
#define MICROPY_LONGINT_IMPL                    (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL                      (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_SCHEDULER_DEPTH                 (8)
#define MICROPY_WARNINGS                        (1)

// Modules
#define MICROPY_PY_TIME                         (1)
#define MICROPY_PY_TIME_INCLUDEFILE             "ports/qemu/modtime.c"
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS            (1)
#define MICROPY_PY_SELECT                       (1)
#define MICROPY_PY_ASYNCIO                      (1)
#define MICROPY_PY_OS_DUPTERM                   (1)
#define MICROPY_PY_OS_UNAME                     (1)
#define MICROPY_PY_MACHINE                      (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE          "ports/qemu/modmachine.c"
#define MICROPY_PY_MACHINE_RESET                (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS     (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (1)
#define MICROPY_PY_MACHINE_PIN_BASE             (1)

// Network
#if MICROPY_PY_LWIP
#define MICROPY_PY_SOCKET                       (1)
#define MICROPY_PY_LWIP_SOCK_RAW                (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT     "mpy-qemu"
extern const struct _mp_obj_type_t network_lan_type;
#define MICROPY_PORT_NETWORK_INTERFACES         { MP_ROM_QSTR(MP_QSTR_LAN), MP_ROM_PTR(&network_lan_type) },
void lwip_lock_acquire(void);
void lwip_lock_release(void);
#define MICROPY_PY_LWIP_ENTER                   lwip_lock_acquire();
#define MICROPY_PY_LWIP_REENTER                 lwip_lock_acquire();
#define MICROPY_PY_LWIP_EXIT                    lwip_lock_release();
#if MICROPY_PY_THREAD
#define MODTHREAD_FORGET_WAITING                network_forget_waiting
bool service_is_locked_here(void);
#define MP_THREAD_HOLDS_PORT_MUTEX()            service_is_locked_here()
#else
void lan_poll(void);
#define MICROPY_INTERNAL_EVENT_HOOK             lan_poll()
#endif
#endif

// TLS
#if MICROPY_PY_SSL
#define MICROPY_TRACKED_ALLOC                   (1)
#define MICROPY_PY_HASHLIB_MD5                  (1)
#define MICROPY_PY_HASHLIB_SHA1                 (1)
#define MICROPY_PY_CRYPTOLIB                    (1)
#endif

// Files
#define MICROPY_VFS                             (1)
#define MICROPY_READER_VFS                      (1)

#define MICROPY_BEGIN_ATOMIC_SECTION()          mp_hal_begin_atomic_section()
#define MICROPY_END_ATOMIC_SECTION(state)       mp_hal_end_atomic_section(state)

#define MP_STATE_PORT MP_STATE_VM
#define MP_SSIZE_MAX (0x7fffffff)
#define UINT_FMT "%lu"
#define INT_FMT "%ld"
// MicroPython chooses these itself from 1.27 on, unless it is told so.
#define MP_INT_TYPE                             (MP_INT_TYPE_OTHER)
#define MP_INT_MAX                              INT32_MAX
#define MP_INT_MIN                              INT32_MIN
#define MP_UINT_MAX                             UINT32_MAX
typedef int32_t mp_int_t; // must be pointer size
typedef uint32_t mp_uint_t; // must be pointer size
typedef long mp_off_t;
