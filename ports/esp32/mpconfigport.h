// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Found before MicroPython's own file of this name, which it includes: only what must differ is here.

#ifndef MODTHREAD_ESP32_MPCONFIGPORT_H
#define MODTHREAD_ESP32_MPCONFIGPORT_H

#ifdef MICROPY_PY_THREAD // modthread compiles py/vm.c without
#undef MICROPY_PY_THREAD
#include_next <mpconfigport.h>
#undef MICROPY_PY_THREAD
#undef MICROPY_PY_THREAD_GIL
#define MICROPY_PY_THREAD (0)
#define MICROPY_PY_THREAD_GIL (0)
#else
#include_next <mpconfigport.h>
#endif

// Who waits looks for WebREPL's connections before each wait; hal.c ends waits now and then.
#define MICROPY_INTERNAL_EVENT_HOOK MICROPY_PY_SOCKET_EVENTS_HANDLER

#undef MICROPY_EVENT_POLL_HOOK
#define MICROPY_EVENT_POLL_HOOK mp_thread_wait_for_notify();

// FatFs has a lock for each file system, see modthread/file_system.c, and then no static buffer for long names.
#undef MICROPY_FATFS_ENABLE_LFN
#define MICROPY_FATFS_ENABLE_LFN (3) // on the heap

// NimBLE's task calls Python, see bluetooth_guest.h.
#define MODTHREAD_GUESTS (1)

// Takes an emulated ESP32-C3 0.3 ms, without its hardware for SHA.
#define MODTHREAD_HASHING_PART (512)
#define MODTHREAD_FORGET_WAITING esp32_forget_waiting

// A soft reset waits for a thread that asks a name server; lwIP's resolver gives up after this time.
#define MODTHREAD_OUTSIDE_LEAVE_US (20000000)

// On the core of the main thread, as with MicroPython's own port: the other one has the radio. A number, since that port's
// name for it is in mphalport.h, which not every file includes.
#if CONFIG_FREERTOS_UNICORE
#define MODTHREAD_CORE_DEFAULT (0)
#else
#define MODTHREAD_CORE_DEFAULT (1)
#endif

// A function may move a value to one of its first four registers, which are saved below the frame of the next one that it
// calls (Xtensa ISA, windowed ABI): deeper than where it had released the GIL.
#ifdef __XTENSA__
#define MODTHREAD_OUTSIDE_USES_WHOLE_STACK (1)
#endif

// Register windows make frames large: what the compiler needs, called by eval() where the limit is near, and an interrupt
// do not fit into the margin of MicroPython's own port. A program has as much as with that.
#ifdef __XTENSA__
#define MODTHREAD_STACK_EXTRA (512)
#define MODTHREAD_STACK_MARGIN (MICROPY_STACK_CHECK_MARGIN + MODTHREAD_STACK_EXTRA)
#endif

// Nobody has measured it on a chip: what the RP2040 needs, and half as much again for ESP-IDF's drivers of flash.
#define STACK_NEED_FILES (MODTHREAD_STACK_MARGIN + 1024)

// As long as the default of MicroPython's own port: 4 KiB for the program, and the margin.
#define MODTHREAD_STACK_SIZE_DEFAULT (4096 + MICROPY_STACK_CHECK_MARGIN)

#endif // MODTHREAD_ESP32_MPCONFIGPORT_H
