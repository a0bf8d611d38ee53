// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included by extmod/modmachine.c, with MicroPython's modmachine.c of this port, whose sleeping functions know of threads then.

#include "cores.h"
#include "tick.h"

#if configNUMBER_OF_CORES > 1
static uint32_t cores_before; // where the thread that sleeps may run; one sleeps at a time, with the GIL
#endif

// The processor wakes at every interrupt that is enabled: the tick must not be one of them. Other threads sleep, too.
static uint32_t begin_sleep(void) {
    #if configNUMBER_OF_CORES > 1
    cores_before = cores_move_task(1 << 0); // interrupts wake that one
    kernel_tick_pause();
    return cores_stop_other();
    #else
    kernel_tick_pause();
    return mp_thread_begin_atomic_section();
    #endif
}

static void end_sleep(uint32_t state) {
    #if configNUMBER_OF_CORES > 1
    cores_continue_other(state);
    kernel_tick_resume();
    cores_move_task(cores_before);
    #else
    mp_thread_end_atomic_section(state);
    kernel_tick_resume();
    #endif
}

__attribute__((unused)) static void stock_machine_idle(void);

// The only atomic section in that file is the sleep of machine.lightsleep() and machine.deepsleep().
#define mp_thread_begin_atomic_section begin_sleep
#define mp_thread_end_atomic_section end_sleep
#define mp_machine_idle stock_machine_idle
#include "ports/rp2/modmachine.c"
#undef mp_thread_begin_atomic_section
#undef mp_thread_end_atomic_section
#undef mp_machine_idle

// Other threads run meanwhile.
static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}
