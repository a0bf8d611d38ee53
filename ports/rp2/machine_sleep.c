// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included by extmod/modmachine.c, with MicroPython's modmachine.c of this port, and puts others in the place of its sleeping functions.

#include "cores.h"
#include "tick.h"

__attribute__((unused)) static void stock_machine_idle(void);
static void stock_machine_lightsleep(size_t n_args, const mp_obj_t *args);

#define mp_machine_lightsleep stock_machine_lightsleep
#define mp_machine_idle stock_machine_idle
#if configNUMBER_OF_CORES > 1 // the other core sleeps, too
#define mp_thread_begin_atomic_section cores_stop_other
#define mp_thread_end_atomic_section cores_continue_other
#endif
#include "ports/rp2/modmachine.c"
#undef mp_thread_begin_atomic_section
#undef mp_thread_end_atomic_section
#undef mp_machine_lightsleep
#undef mp_machine_idle

// Interrupts wake core 0.
static void begin_sleep(void) {
    #if configNUMBER_OF_CORES > 1
    cores_keep_task_on(0);
    #endif
    kernel_tick_pause();
}

static void end_sleep(void) {
    kernel_tick_resume();
    #if configNUMBER_OF_CORES > 1
    cores_let_task_move();
    #endif
}

// The processor wakes at every interrupt that is enabled: the tick must not be one of them. Other threads sleep, too.
static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    begin_sleep();
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        stock_machine_lightsleep(n_args, args);
        nlr_pop();
        end_sleep();
    } else {
        end_sleep();
        nlr_jump(nlr.ret_val);
    }
}

// Other threads run meanwhile.
static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}
