// This file is part of modthread. SPDX-License-Identifier: MIT
//
// QEMU's `mps2-an505`, a Cortex-M33 that stays in secure state: Arm's application note AN505, section 3; the timers are
// those of the Cortex-M System Design Kit (Arm DDI 0479), at the addresses that secure code has for them.

#include <stdbool.h>

#include "machine.h"
#include "qemu.h"

typedef volatile uint32_t reg_t;

typedef struct _timer_t {
    reg_t ctrl, value, reload, intclear;
} timer_t;

typedef struct _dual_timer_t {
    reg_t load, value, control;
} dual_timer_t;

#define SLICE ((timer_t *)0x50000000) // TIMER0
#define ALARM ((timer_t *)0x50001000) // TIMER1
#define CLOCK ((dual_timer_t *)0x50002000)

#define CTRL_ENABLE (1u << 0)
#define CTRL_INTERRUPT (1u << 3)
#define CONTROL_32_BITS (1u << 1)
#define CONTROL_ENABLE (1u << 7)

void machine_start(void) {
    CLOCK->load = UINT32_MAX;
    CLOCK->control = CONTROL_32_BITS | CONTROL_ENABLE;
}

uint32_t machine_time_us(void) {
    return (UINT32_MAX - CLOCK->value) / (CLOCK_HZ / 1000000);
}

// It starts from the value again by itself, which is set before.
static void set(timer_t *timer, uint32_t instructions) {
    uint32_t cycles = instructions * 16 / 25; // of 50 ns, an instruction lasts 32 ns
    timer->ctrl = 0;
    timer->intclear = 1;
    timer->reload = cycles;
    timer->value = cycles;
    timer->ctrl = CTRL_ENABLE | CTRL_INTERRUPT;
}

void machine_set_period(uint32_t instructions) {
    set(SLICE, instructions);
}

void machine_set_alarm(uint32_t instructions) {
    set(ALARM, instructions);
}

void slice_interrupt(void) {
    SLICE->intclear = 1;
    slice_handler();
}

void alarm_interrupt(void) {
    ALARM->intclear = 1;
    alarm_handler();
}

void machine_start_interrupts(void) {
    irq_enable(SLICE_IRQ, SLICE_PRIORITY);
    irq_enable(ALARM_IRQ, ALARM_PRIORITY);
}

void machine_stop_interrupts(void) {
    irq_disable(SLICE_IRQ);
    irq_disable(ALARM_IRQ);
}
