// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The chip itself, with pico-sdk's start, and the port's own tick.

#include <stdio.h>

#include "hardware/irq.h"
#include "hardware/pwm.h"
#include "hardware/sync.h"
#include "hardware/timer.h"
#include "pico/stdlib.h"

#include "FreeRTOS.h"
#include "task.h"

#include "modthread/mpthreadport.h"
#include "crash.h"
#include "machine.h"

#define SLICE (0) // of the PWM: interrupts when its period ends
#define ALARM (1)
#define ALARM_IRQ TIMER_ALARM_IRQ_NUM(timer_hw, ALARM)

void machine_start(void) {
    stdio_init_all();
}

void machine_print(const char *text) {
    printf("%s", text);
}

void machine_stop(void) {
    while (true) {
    }
}

uint32_t machine_time_us(void) {
    return time_us_32();
}

static void period_ended(void) {
    pwm_clear_irq(SLICE);
    slice_handler();
}

static void alarm_fired(void) {
    timer_hw->intr = 1u << ALARM;
    alarm_handler();
}

void machine_start_interrupts(void) {
    irq_set_exclusive_handler(PWM_IRQ_WRAP, period_ended);
    irq_set_enabled(PWM_IRQ_WRAP, true);
    pwm_set_irq_enabled(SLICE, true);
    pwm_set_enabled(SLICE, true);

    irq_set_exclusive_handler(ALARM_IRQ, alarm_fired);
    irq_set_priority(ALARM_IRQ, PICO_HIGHEST_IRQ_PRIORITY);
    irq_set_enabled(ALARM_IRQ, true);
    hw_set_bits(&timer_hw->inte, 1u << ALARM);
}

void machine_stop_interrupts(void) {
    pwm_set_enabled(SLICE, false);
    irq_set_enabled(ALARM_IRQ, false);
}

void machine_set_period(uint32_t instructions) {
    pwm_set_wrap(SLICE, instructions);
}

void machine_set_alarm(uint32_t instructions) {
    timer_hw->alarm[ALARM] = timer_hw->timerawl + instructions / 125;
}

static uint32_t us_since_tick_zero(void) {
    return time_us_32() - 1000 * xTaskGetTickCount();
}

void machine_test_tick(void) {
    uint32_t begin = us_since_tick_zero();
    uint32_t state = save_and_disable_interrupts();
    busy_wait_us_32(25300);
    restore_interrupts(state);
    busy_wait_us_32(20);
    check(us_since_tick_zero() - begin + 1000 < 2000, "ticks were lost while interrupts were masked");
}

/******************************************************************************/
// What the tick asks of the port; here is neither compiled code nor a service task

void crash(const char *format, ...) {
    stop(format);
}

void compiled_tick(void) {
}

void mp_thread_alarm(void) {
    mp_thread_set_alarm(UINT64_MAX);
}

void service_notify(void) {
}
