// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The alarm of threads that wait until some time: the first timer of the dual timer (Arm DDI 0479, Cortex-M System Design Kit,
// 4.4), which counts down at the processor's clock.

#include "py/mphal.h"
#include "py/mpthread.h"

#include "ports/cortex_m/compiled.h"
#include "alarm.h"
#include "nvic.h"

typedef struct _timer_t {
    volatile uint32_t load, value, control, intclr;
} dual_timer_t;
#define TIMER ((dual_timer_t *)0x40002000)

#define CONTROL_ONE_SHOT (1 << 0)
#define CONTROL_32_BITS (1 << 1)
#define CONTROL_INTERRUPT (1 << 5)
#define CONTROL_ENABLE (1 << 7)

#define PRIORITY (0xff) // the least urgent, as the tick

#define CYCLES_PER_US (MICROPY_HW_CPU_HZ / 1000000)
#define US_MAX (100000000) // then mp_thread_alarm() sets it again

void alarm_init(void) {
    nvic_enable(ALARM_IRQ, PRIORITY);
}

void mp_thread_set_alarm(uint64_t us) {
    uint64_t now = mp_thread_time_us();
    uint32_t left = us <= now ? 0 : MIN(us - now, US_MAX);
    TIMER->control = 0;
    TIMER->intclr = 0;
    TIMER->load = left * CYCLES_PER_US + 1;
    TIMER->control = CONTROL_ENABLE | CONTROL_INTERRUPT | CONTROL_32_BITS | CONTROL_ONE_SHOT;
}

void alarm_handler(void) {
    TIMER->intclr = 0;
    mp_thread_alarm();
    compiled_tick();
}
