// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mphal.h"
#include "py/runtime.h"

#include "lwip/dns.h"

#include "modthread/gil.h"
#if MICROPY_PY_SSL
#include "modthread/tls.h"
#endif
#include "network.h"

/******************************************************************************/
// Names

// Who asks for a name waits for the answer, which lwIP calls back with, and may leave before that by an exception.
typedef struct _question_t {
    dns_found_callback found; // NULL when nobody waits any more
    void *argument;
    thread_t *asker; // NULL if this one is free
} question_t;

static question_t questions[2 * DNS_TABLE_SIZE];

static void on_answer(const char *name, const ip_addr_t *address, void *argument) {
    question_t *question = argument;
    if (question->found != NULL) {
        question->found(name, address, question->argument);
    }
    question->asker = NULL;
}

// What modlwip.c calls in place of dns_gethostbyname_addrtype(); with the lock.
err_t network_ask(const char *name, ip_addr_t *address, dns_found_callback found, void *argument, u8_t type) {
    for (size_t i = 0; i < MP_ARRAY_SIZE(questions); i++) {
        question_t *question = &questions[i];
        if (question->asker == NULL) {
            *question = (question_t) { found, argument, gil_current };
            err_t error = dns_gethostbyname_addrtype(name, address, on_answer, question, type);
            if (error != ERR_INPROGRESS) {
                question->asker = NULL;
            }
            return error;
        }
    }
    return ERR_MEM;
}

static void forget_questions(const thread_t *asker) {
    lwip_lock_acquire();
    for (size_t i = 0; i < MP_ARRAY_SIZE(questions); i++) {
        if (asker == NULL || questions[i].asker == asker) {
            questions[i].found = NULL;
        }
    }
    lwip_lock_release();
}

void network_forget_waiting(void) {
    forget_questions(NULL);
    #if MICROPY_PY_SSL
    tls_forget();
    #endif
}

/******************************************************************************/
// Waiting

static void leave_wait(void *node) {
    (void)node;
    forget_questions(gil_current);
}

void network_wait_ms(mp_uint_t ms) {
    (void)ms; // to ask again each millisecond costs more than the service task's notice
    nlr_jump_callback_node_t node;
    nlr_push_jump_callback(&node, leave_wait);
    mp_event_wait_indefinite();
    nlr_pop_jump_callback(false);
}
