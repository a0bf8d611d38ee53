// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The kernel's tick, and the clock and the alarm of threads.

#ifndef MODTHREAD_ESP32_TICK_H
#define MODTHREAD_ESP32_TICK_H

// Let each tick of the calling core's kernel serve threads, and have an alarm; from the main task, before threads start.
void tick_init(void);

#endif // MODTHREAD_ESP32_TICK_H
