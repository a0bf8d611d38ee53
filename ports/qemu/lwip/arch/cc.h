// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What lwIP wants to know of the compiler and the port beyond the defaults of lwip/arch.h.

#ifndef MODTHREAD_QEMU_LWIP_CC_H
#define MODTHREAD_QEMU_LWIP_CC_H

#include <stdint.h>

#include "ports/qemu/startup.h"

#define LWIP_NO_CTYPE_H 1 // the firmware has no C library
#define LWIP_PLATFORM_DIAG(message)
#define LWIP_PLATFORM_ASSERT(message) port_crash("lwIP: %s", message)

typedef uint32_t sys_prot_t; // for MicroPython's modlwip.c

#endif // MODTHREAD_QEMU_LWIP_CC_H
