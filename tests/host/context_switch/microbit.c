// This file is part of modthread. SPDX-License-Identifier: MIT
//
// QEMU's `microbit`, a Cortex-M0 in an nRF51: nRF51 Series Reference Manual 3.0, chapter 18, Timer/counter (TIMER).

#include <stdbool.h>

#include "machine.h"
#include "qemu.h"

typedef volatile uint32_t reg_t;

typedef struct _timer_t {
    reg_t start, stop, count, clear, shutdown, unused0[11];
    reg_t capture[4], unused1[60];
    reg_t compare[4], unused2[44];
    reg_t shorts, unused3[64];
    reg_t intenset, intenclr, unused4[126];
    reg_t mode, bitmode, unused5, prescaler, unused6[11];
    reg_t cc[4];
} timer_t;

_Static_assert(__builtin_offsetof(timer_t, capture) == 0x040, "");
_Static_assert(__builtin_offsetof(timer_t, compare) == 0x140, "");
_Static_assert(__builtin_offsetof(timer_t, shorts) == 0x200, "");
_Static_assert(__builtin_offsetof(timer_t, intenset) == 0x304, "");
_Static_assert(__builtin_offsetof(timer_t, mode) == 0x504, "");
_Static_assert(__builtin_offsetof(timer_t, cc) == 0x540, "");

#define CLOCK ((timer_t *)0x40008000) // TIMER0, the one with 32 bits
#define SLICE ((timer_t *)0x40009000) // TIMER1
#define ALARM ((timer_t *)0x4000a000) // TIMER2

#define SHORTS_COMPARE0_STOP (1u << 8)
#define INTEN_COMPARE0 (1u << 16)
#define BITMODE_32 (3)
#define PRESCALER_1_MHZ (4)

void machine_start(void) {
    CLOCK->bitmode = BITMODE_32;
    CLOCK->prescaler = PRESCALER_1_MHZ;
    CLOCK->start = 1;
}

uint32_t machine_time_us(void) {
    CLOCK->capture[0] = 1;
    return CLOCK->cc[0];
}

// Once, after this many cycles of 16 MHz.
static void set(timer_t *timer, uint32_t cycles) {
    timer->stop = 1;
    timer->compare[0] = 0;
    timer->clear = 1;
    timer->cc[0] = cycles;
    timer->start = 1;
}

void machine_set_period(uint32_t instructions) {
    set(SLICE, instructions);
}

void machine_set_alarm(uint32_t instructions) {
    set(ALARM, instructions);
}

void slice_interrupt(void) {
    SLICE->compare[0] = 0;
    slice_handler();
}

void alarm_interrupt(void) {
    ALARM->compare[0] = 0;
    alarm_handler();
}

static void prepare(timer_t *timer) {
    timer->prescaler = 0;
    timer->shorts = SHORTS_COMPARE0_STOP;
    timer->intenset = INTEN_COMPARE0;
}

void machine_start_interrupts(void) {
    prepare(SLICE);
    prepare(ALARM);
    irq_enable(SLICE_IRQ, SLICE_PRIORITY);
    irq_enable(ALARM_IRQ, ALARM_PRIORITY);
}

void machine_stop_interrupts(void) {
    irq_disable(SLICE_IRQ);
    irq_disable(ALARM_IRQ);
}
