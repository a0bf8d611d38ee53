// This file is part of modthread. SPDX-License-Identifier: MIT

#include <stdarg.h>
#include <string.h>

#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/runtime.h"

#include "modthread/gil.h"
#include "radio.h"

#define MODTHREAD_RP2_RADIO_C
#include "radio_scan.h"

void radio_handle_nothing(void) {
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
    radio_found_t found;
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

int radio_scan(cyw43_t *self, cyw43_wifi_scan_options_t *options, void *environment, radio_found_t found) {
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

bool radio_scan_active(cyw43_t *self) {
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

int radio_printf(const mp_print_t *print, const char *format, ...) {
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
