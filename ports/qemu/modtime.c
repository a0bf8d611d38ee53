// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included by extmod/modtime.c. The board has no real-time clock: the epoch is when it started.

#include "py/mphal.h"
#include "shared/timeutils/timeutils.h"

static mp_int_t seconds_since_start(void) {
    return (mp_int_t)(mp_hal_time_ns() / 1000000000);
}

#if MICROPY_VERSION >= MICROPY_MAKE_VERSION(1, 27, 0)

static void mp_time_localtime_get(timeutils_struct_time_t *tm) {
    timeutils_seconds_since_epoch_to_struct_time(seconds_since_start(), tm);
}

#else

static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(seconds_since_start(), &tm);
    const int fields[8] = {
        tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday, tm.tm_yday,
    };
    mp_obj_t items[8];
    for (size_t i = 0; i < MP_ARRAY_SIZE(items); i++) {
        items[i] = MP_OBJ_NEW_SMALL_INT(fields[i]);
    }
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

#endif

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int(seconds_since_start());
}
