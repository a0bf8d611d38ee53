// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included by extmod/modmachine.c, with MicroPython's modmachine.c of this port, and puts others in the place of its sleeping functions.

#include "tick.h"

__attribute__((unused)) static void stock_machine_idle(void);
static void stock_machine_lightsleep(size_t n_args, const mp_obj_t *args);

#define mp_machine_lightsleep stock_machine_lightsleep
#define mp_machine_idle stock_machine_idle
#include "ports/rp2/modmachine.c"
#undef mp_machine_lightsleep
#undef mp_machine_idle

// The processor wakes at every interrupt that is enabled: the tick must not be one of them. Other threads sleep, too.
static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    kernel_tick_pause();
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        stock_machine_lightsleep(n_args, args);
        nlr_pop();
        kernel_tick_resume();
    } else {
        kernel_tick_resume();
        nlr_jump(nlr.ret_val);
    }
}

// Other threads run meanwhile.
static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}
