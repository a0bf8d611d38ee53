// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/modtls_mbedtls.c: a handshake takes seconds of a small processor, and others
// have their turns meanwhile. The macros give the functions that this file calls other names.

#ifndef MODTHREAD_TLS_H
#define MODTHREAD_TLS_H

#include "py/mpconfig.h"

#include "mbedtls/ctr_drbg.h"
#include "mbedtls/pk.h"
#include "mbedtls/ssl.h"
#include "mbedtls/x509_crt.h"

#include "stack.h"

// What a handshake takes of a stack, down to the network, and what all else does.
#ifndef STACK_NEED_HANDSHAKE
#define STACK_NEED_HANDSHAKE (3072)
#endif
#ifndef STACK_NEED_TLS
#define STACK_NEED_TLS (2560)
#endif

// The functions of Mbed TLS, for threads. Two that read from one connection, or write to it, go one after the other, and all do
// before its handshake has ended. Need the GIL, and may let others run. Raise what is pending for the thread, and RuntimeError
// where too little of the stack is left.
int tls_handshake(mbedtls_ssl_context *ssl);
int tls_read(mbedtls_ssl_context *ssl, unsigned char *data, size_t size);
int tls_write(mbedtls_ssl_context *ssl, const unsigned char *data, size_t size);

// The same; first the others come to where they wait for the network. In a finaliser there are none.
void tls_free(mbedtls_ssl_context *ssl);

// Other threads have been deleted, whatever they did.
void tls_forget(void);

#ifdef TLS_IN_MODTLS
#define mbedtls_ssl_handshake tls_handshake
#define mbedtls_ssl_read tls_read
#define mbedtls_ssl_write tls_write
#define mbedtls_ssl_free tls_free
#define TLS_CHECKED(function, ...) (stack_check(STACK_NEED_TLS), function(__VA_ARGS__))
#define mbedtls_ctr_drbg_seed(...) TLS_CHECKED(mbedtls_ctr_drbg_seed, __VA_ARGS__)
#define mbedtls_pk_parse_key(...) TLS_CHECKED(mbedtls_pk_parse_key, __VA_ARGS__)
#define mbedtls_x509_crt_parse(...) TLS_CHECKED(mbedtls_x509_crt_parse, __VA_ARGS__)
#endif

#endif // MODTHREAD_TLS_H
