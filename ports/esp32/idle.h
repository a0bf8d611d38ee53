// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The idle tasks, which threads that compute leave nothing to.

#ifndef MODTHREAD_ESP32_IDLE_H
#define MODTHREAD_ESP32_IDLE_H

// Look after the idle task of each core from now on; from the main task, before threads start.
void idle_init(void);

// Once a tick, from its interrupt: let threads pause if an idle task starves. Never blocks.
void idle_watch(void);

#endif // MODTHREAD_ESP32_IDLE_H
