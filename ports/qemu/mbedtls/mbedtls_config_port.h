// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Mbed TLS's configuration for QEMU's MPS2 boards.

#ifndef MICROPY_INCLUDED_MBEDTLS_CONFIG_H
#define MICROPY_INCLUDED_MBEDTLS_CONFIG_H

#define MICROPY_MBEDTLS_CONFIG_BARE_METAL (1)
#define MBEDTLS_ECP_NIST_OPTIM

#include "extmod/mbedtls/mbedtls_config_common.h"

// The board does not know the date: until when a certificate is good is not checked.
#undef MBEDTLS_HAVE_TIME
#undef MBEDTLS_HAVE_TIME_DATE

#endif // MICROPY_INCLUDED_MBEDTLS_CONFIG_H
