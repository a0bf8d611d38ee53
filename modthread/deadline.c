// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mpthread.h"

#include "deadline.h"

deadline_t deadline_after_us(uint64_t us) {
    return mp_thread_time_us() + us;
}

bool deadline_is_past(deadline_t deadline) {
    return mp_thread_time_us() >= deadline;
}
