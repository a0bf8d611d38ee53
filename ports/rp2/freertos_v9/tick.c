// This file is part of modthread. SPDX-License-Identifier: MIT

#include "FreeRTOS.h"
#include "task.h"

#include "hardware/irq.h"
#include "hardware/timer.h"

#include "tick.h"

// MicroPython's soft timers have alarm 2, pico-sdk's alarm pool and machine.lightsleep() alarm 3.
#define ALARM (1)
#define ALARM_IRQ TIMER_ALARM_IRQ_NUM(timer_hw, ALARM)

#define US_PER_TICK (1000000 / configTICK_RATE_HZ)

static uint32_t next_us; // when the next tick is due

static bool is_due(void) {
    return (int32_t)(timer_hw->timerawl - next_us) >= 0;
}

static bool count_ticks(void) {
    bool switch_wanted = false;
    while (is_due()) {
        next_us += US_PER_TICK;
        uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
        switch_wanted |= xTaskIncrementTick();
        portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
    }
    return switch_wanted;
}

// The alarm fires when the timer becomes equal to it (RP2040 datasheet, 4.6.3): never for what is over already.
static void tick_handler(void) {
    bool switch_wanted = false;
    do {
        timer_hw->intr = 1u << ALARM;
        switch_wanted |= count_ticks();
        timer_hw->alarm[ALARM] = next_us;
    } while (is_due());
    portYIELD_FROM_ISR(switch_wanted);
}

void kernel_tick_start(void) {
    hardware_alarm_claim(ALARM);
    irq_set_exclusive_handler(ALARM_IRQ, tick_handler);
    irq_set_priority(ALARM_IRQ, PICO_LOWEST_IRQ_PRIORITY);
    hw_set_bits(&timer_hw->inte, 1u << ALARM);
    irq_set_enabled(ALARM_IRQ, true);
    next_us = timer_hw->timerawl + US_PER_TICK;
    timer_hw->alarm[ALARM] = next_us;
}

void kernel_tick_pause(void) {
    irq_set_enabled(ALARM_IRQ, false);
}

void kernel_tick_resume(void) {
    irq_set_enabled(ALARM_IRQ, true);
    irq_set_pending(ALARM_IRQ);
}
