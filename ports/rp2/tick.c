// This file is part of modthread. SPDX-License-Identifier: MIT

#include "FreeRTOS.h"
#include "task.h"

#include "py/mpstate.h"
#include "hardware/irq.h"
#include "hardware/timer.h"

#include "../cortex_m/compiled.h"
#include "modthread/mpthreadport.h"
#include "../cortex_m/guard.h"
#include "cores.h"
#include "crash.h"
#include "service.h"
#include "tick.h"

// Soft timers have alarm 2, machine.lightsleep() has 3 or from MicroPython 1.26 on 1, and pico-sdk's alarm pool 3.
#define ALARM (0)
#define ALARM_IRQ TIMER_ALARM_IRQ_NUM(timer_hw, ALARM)

#define US_PER_TICK (1000000 / configTICK_RATE_HZ)

static uint64_t next_us; // when the next tick is due

// The alarm fires when the timer's low 32 bits become equal to it (RP2040 datasheet, 4.6.3): never for what is over.
static void set_alarm(uint64_t us) {
    timer_hw->alarm[ALARM] = (uint32_t)us;
}

// True if the next tick is due; if not, its alarm will fire: it is set before time is read.
static bool is_due(void) {
    set_alarm(next_us);
    return time_us_64() >= next_us;
}

// Give the kernel the ticks that are due: more than one where interrupts were masked. True if another task shall run.
static bool __not_in_flash_func(count_ticks)(void) {
    BaseType_t switch_wanted = pdFALSE;
    while (is_due()) {
        next_us += US_PER_TICK;
        uint32_t state = taskENTER_CRITICAL_FROM_ISR();
        switch_wanted |= xTaskIncrementTick();
        taskEXIT_CRITICAL_FROM_ISR(state);
    }
    return switch_wanted;
}

static void __not_in_flash_func(tick_handler)(void) {
    timer_hw->intr = 1u << ALARM;
    const char *overflowed = guard_overflowed();
    if (overflowed != NULL) {
        crash("stack overflow in %s", overflowed);
    }
    bool switch_wanted = count_ticks();
    mp_thread_tick(); // here and not in the kernel's hook: it may take a lock
    portYIELD_FROM_ISR(switch_wanted);
    compiled_tick();
    #if configNUMBER_OF_CORES > 1
    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING) { // maybe for a thread on the other core
        cores_pass_tick_on();
    }
    #endif
}

void kernel_tick_start(void) {
    hardware_alarm_claim(ALARM);
    irq_set_exclusive_handler(ALARM_IRQ, tick_handler);
    irq_set_priority(ALARM_IRQ, PICO_LOWEST_IRQ_PRIORITY);
    hw_set_bits(&timer_hw->inte, 1u << ALARM);
    irq_set_enabled(ALARM_IRQ, true);
    next_us = time_us_64() + US_PER_TICK;
    set_alarm(next_us);
}

// V11's port has a weak one, for SysTick.
void vPortSetupTimerInterrupt(void) {
    kernel_tick_start();
}

void kernel_tick_pause(void) {
    irq_set_enabled(ALARM_IRQ, false);
}

// One tick stands for all that went by: a loop over those of an hour would take seconds.
void kernel_tick_resume(void) {
    uint64_t now = time_us_64();
    if (next_us < now) {
        next_us = now;
    }
    bool switch_wanted = count_ticks();
    irq_set_enabled(ALARM_IRQ, true);
    portYIELD_FROM_ISR(switch_wanted);
    mp_thread_ticks_missed();
    service_notify();
}
