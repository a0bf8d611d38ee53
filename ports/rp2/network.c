// This file is part of modthread. SPDX-License-Identifier: MIT

#include <stdarg.h>
#include <string.h>

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/mperrno.h"
#include "py/runtime.h"

#include "lwip/dns.h"

#include "modthread/gil.h"
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

#if MICROPY_PY_NETWORK_CYW43

#define MODTHREAD_RP2_NETWORK_C
#include "network_scan.h"

void network_handle_nothing(void) {
}

/******************************************************************************/
// A scan

typedef struct _access_point_t {
    uint8_t bssid[6];
    uint8_t ssid_len;
    uint8_t ssid[32];
    uint8_t auth_mode;
    uint16_t channel;
    int16_t rssi;
} access_point_t;

static struct {
    thread_t *scanner;
    void *environment; // the scanner's
    network_found_t found;
    uint8_t count;
    access_point_t points[16]; // since the scanner has looked, which it does each few milliseconds
} scan;

// In the service task.
static int keep(void *environment, const cyw43_ev_scan_result_t *found) {
    (void)environment;
    if (scan.count < MP_ARRAY_SIZE(scan.points)) {
        access_point_t *point = &scan.points[scan.count++];
        memcpy(point->bssid, found->bssid, sizeof(point->bssid));
        point->ssid_len = MIN(found->ssid_len, sizeof(point->ssid));
        memcpy(point->ssid, found->ssid, sizeof(point->ssid));
        point->auth_mode = found->auth_mode;
        point->channel = found->channel;
        point->rssi = found->rssi;
    }
    return 0;
}

int network_scan(cyw43_t *self, cyw43_wifi_scan_options_t *options, void *environment, network_found_t found) {
    lwip_lock_acquire();
    int result = -MP_EBUSY;
    if (scan.scanner == gil_current || !cyw43_wifi_scan_active(self)) {
        scan.scanner = gil_current;
        scan.environment = environment;
        scan.found = found;
        scan.count = 0;
        result = cyw43_wifi_scan(self, options, NULL, keep);
    }
    lwip_lock_release();
    return result;
}

static bool next_point(cyw43_ev_scan_result_t *result) {
    lwip_lock_acquire();
    bool any = scan.count != 0;
    if (any) {
        const access_point_t *point = &scan.points[--scan.count];
        memcpy(result->bssid, point->bssid, sizeof(point->bssid));
        result->ssid_len = point->ssid_len;
        memcpy(result->ssid, point->ssid, sizeof(point->ssid));
        result->auth_mode = point->auth_mode;
        result->channel = point->channel;
        result->rssi = point->rssi;
    }
    lwip_lock_release();
    return any;
}

bool network_scan_active(cyw43_t *self) {
    bool active = cyw43_wifi_scan_active(self); // before: what comes afterwards is handed over at the next call
    cyw43_ev_scan_result_t result;
    while (next_point(&result)) {
        scan.found(scan.environment, &result);
    }
    return active;
}

/******************************************************************************/
// What the driver prints

static char text[160];
static volatile uint8_t text_length;

static void print_text(mp_sched_node_t *node) {
    (void)node;
    char line[sizeof(text)];
    uint32_t state = kernel_lock();
    size_t length = text_length;
    memcpy(line, text, length);
    text_length = 0;
    kernel_unlock(state);
    mp_hal_stdout_tx_strn_cooked(line, length);
}

static void append(void *data, const char *what, size_t length) {
    (void)data;
    uint32_t state = kernel_lock();
    length = MIN(length, sizeof(text) - text_length);
    memcpy(text + text_length, what, length);
    text_length += length;
    kernel_unlock(state);
}

int network_printf(const mp_print_t *print, const char *format, ...) {
    (void)print;
    static const mp_print_t appender = { NULL, append };
    static mp_sched_node_t node;
    va_list arguments;
    va_start(arguments, format);
    int length = mp_vprintf(&appender, format, arguments);
    va_end(arguments);
    mp_sched_schedule_node(&node, print_text);
    return length;
}

#endif // MICROPY_PY_NETWORK_CYW43
