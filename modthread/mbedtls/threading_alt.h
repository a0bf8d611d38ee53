// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What Mbed TLS keeps others out with, as its threading.h wants it (MBEDTLS_THREADING_ALT): tls.c has the functions.

#ifndef MODTHREAD_MBEDTLS_THREADING_ALT_H
#define MODTHREAD_MBEDTLS_THREADING_ALT_H

#include <stdint.h>

typedef struct mbedtls_threading_mutex_t {
    uint32_t owner; // the identifier of a thread, or 0
} mbedtls_threading_mutex_t;

#endif // MODTHREAD_MBEDTLS_THREADING_ALT_H
