// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Mbed TLS beside threads. It computes with the GIL, and lets others have their turns between two steps, where all that it
// changes is its own. What several connections have in common, as a private key, is locked by Mbed TLS itself; one connection is
// not. So whoever uses it is on a list meanwhile.

#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "tls.h"

#include "bignum_core.h"
#include "constant_time_internal.h"
#include "mbedtls/bignum.h"
#include "mbedtls/cipher.h"
#include "mbedtls/error.h"
#include "mbedtls/md.h"
#include "mbedtls/threading.h"

#include "gil.h"
#include "scheduler.h"

/******************************************************************************/
// Who uses a connection

typedef enum { READ = 1, WRITE = 2, HANDSHAKE = READ | WRITE } kind_t;

typedef struct _use_t {
    nlr_jump_callback_node_t failed;
    struct _use_t *next;
    mbedtls_ssl_context *ssl;
    thread_t *thread;
    kind_t kind;
    bool computes; // it lets others run between two steps
    bool awaited;
    bool interrupted;
} use_t;

static use_t *uses;

static use_t *use_of(const thread_t *thread) {
    use_t *use = uses;
    while (use != NULL && use->thread != thread) {
        use = use->next;
    }
    return use;
}

static use_t *conflict(const use_t *other) {
    for (use_t *use = uses; use != NULL; use = use->next) {
        if (use->ssl == other->ssl && use->thread != other->thread && (use->kind & other->kind)) {
            return use;
        }
    }
    return NULL;
}

static void end(void *use_in) {
    use_t **at = &uses;
    while (*at != use_in) {
        at = &(*at)->next;
    }
    *at = (*at)->next;
    if (((use_t *)use_in)->awaited) {
        mp_thread_notify();
    }
}

static void begin(use_t *use, mbedtls_ssl_context *ssl, kind_t kind) {
    bool is_handshake = kind == HANDSHAKE || !mbedtls_ssl_is_handshake_over(ssl);
    stack_check(is_handshake ? STACK_NEED_HANDSHAKE : STACK_NEED_TLS);
    *use = (use_t) { .ssl = ssl, .thread = gil_current, .kind = is_handshake ? HANDSHAKE : kind };
    use_t *other;
    while ((other = conflict(use)) != NULL) {
        other->awaited = true;
        mp_event_wait_indefinite();
    }
    use->next = uses;
    uses = use;
    nlr_push_jump_callback(&use->failed, end);
}

// Where an exception has interrupted it, that is what is raised.
static int finish(use_t *use, int result) {
    bool interrupted = result < 0 && use->interrupted;
    nlr_pop_jump_callback(true);
    if (interrupted) {
        mp_handle_pending(true);
    }
    return result;
}

int tls_handshake(mbedtls_ssl_context *ssl) {
    use_t use;
    begin(&use, ssl, HANDSHAKE);
    return finish(&use, mbedtls_ssl_handshake(ssl));
}

// Another thread has closed it, before or during the wait.
static bool is_closed(const mbedtls_ssl_context *ssl) {
    return ssl->MBEDTLS_PRIVATE(conf) == NULL;
}

int tls_read(mbedtls_ssl_context *ssl, unsigned char *data, size_t size) {
    use_t use;
    begin(&use, ssl, READ);
    return finish(&use, is_closed(ssl) ? -MP_EBADF : mbedtls_ssl_read(ssl, data, size));
}

int tls_write(mbedtls_ssl_context *ssl, const unsigned char *data, size_t size) {
    use_t use;
    begin(&use, ssl, WRITE);
    return finish(&use, is_closed(ssl) ? -MP_EBADF : mbedtls_ssl_write(ssl, data, size));
}

static bool is_computing(const mbedtls_ssl_context *ssl) {
    for (use_t *use = uses; use != NULL; use = use->next) {
        if (use->ssl == ssl && use->computes) {
            return true;
        }
    }
    return false;
}

void tls_free(mbedtls_ssl_context *ssl) {
    while (is_computing(ssl)) {
        mp_event_wait_ms(1);
    }
    mbedtls_ssl_free(ssl);
}

void tls_forget(void) {
    uses = NULL;
}

/******************************************************************************/
// Turns

// Returns false if what is under way is to end, for an exception is pending.
static bool take_turns(void) {
    if (!gil_switch_requested && !scheduler_exception_pending()) {
        return true;
    }
    use_t *use = use_of(gil_current);
    if (use == NULL) { // a key or a certificate is read
        mp_thread_give_way();
        return true;
    }
    use->computes = true;
    mp_thread_give_way();
    use->computes = false;
    use->interrupted = scheduler_exception_pending();
    return !use->interrupted;
}

// A product of the many that elliptic curves take.
int tls_multiply(mbedtls_mpi *product, const mbedtls_mpi *left, const mbedtls_mpi *right) {
    return take_turns() ? mbedtls_mpi_mul_mpi(product, left, right) : MBEDTLS_ERR_ERROR_GENERIC_ERROR;
}

// These cannot fail: the end of each product of the many that RSA takes, and steps of the many that a division and an inverse take.
void tls_copy_if(mbedtls_ct_condition_t condition, unsigned char *to, const unsigned char *from, const unsigned char *otherwise, size_t size) {
    take_turns();
    mbedtls_ct_memcpy_if(condition, to, from, otherwise, size);
}

mbedtls_mpi_uint tls_subtract(mbedtls_mpi_uint *result, const mbedtls_mpi_uint *from, const mbedtls_mpi_uint *what, size_t size) {
    take_turns();
    return mbedtls_mpi_core_sub(result, from, what, size);
}

void *tls_copy(void *to, const void *from, size_t size) {
    take_turns();
    return memcpy(to, from, size);
}

// A hash of those that session keys are made of.
int tls_hmac_finish(mbedtls_md_context_t *context, unsigned char *hash) {
    return take_turns() ? mbedtls_md_hmac_finish(context, hash) : MBEDTLS_ERR_ERROR_GENERIC_ERROR;
}

// A block of a record.
int tls_cipher_update(mbedtls_cipher_context_t *context, const unsigned char *input, size_t size, unsigned char *output, size_t *given) {
    take_turns();
    return mbedtls_cipher_update(context, input, size, output, given);
}

/******************************************************************************/
// Mbed TLS's mutexes. No wait for the network comes while one of them is held.

static void mutex_clear(mbedtls_threading_mutex_t *mutex) {
    mutex->owner = 0;
}

static int mutex_lock(mbedtls_threading_mutex_t *mutex) {
    while (mutex->owner != 0) {
        if (scheduler_is_locked() || gil_pins > 0 || mutex->owner == gil_current->ident) {
            return MBEDTLS_ERR_THREADING_MUTEX_ERROR;
        }
        gil_park(deadline_after_us(1000));
    }
    mutex->owner = gil_current->ident;
    return 0;
}

static int mutex_unlock(mbedtls_threading_mutex_t *mutex) {
    mutex->owner = 0;
    return 0;
}

void (*mbedtls_mutex_init)(mbedtls_threading_mutex_t *) = mutex_clear;
void (*mbedtls_mutex_free)(mbedtls_threading_mutex_t *) = mutex_clear;
int (*mbedtls_mutex_lock)(mbedtls_threading_mutex_t *) = mutex_lock;
int (*mbedtls_mutex_unlock)(mbedtls_threading_mutex_t *) = mutex_unlock;

#if defined(MBEDTLS_HAVE_TIME_DATE) && !defined(MBEDTLS_PLATFORM_GMTIME_R_ALT)
mbedtls_threading_mutex_t mbedtls_threading_gmtime_mutex;
#endif
