// This file is part of modthread. SPDX-License-Identifier: MIT

#include "FreeRTOS.h"
#include "task.h"

#include "py/mpstate.h"
#include "hardware/irq.h"
#include "hardware/timer.h"

#include "../cortex_m/compiled.h"
#include "modthread/kernel.h"
#include "modthread/mpthreadport.h"
#include "../cortex_m/guard.h"
#include "cores.h"
#include "crash.h"
#include "../cortex_m/service.h"
#include "tick.h"

// Soft timers have alarm 2, machine.lightsleep() has 3 or from MicroPython 1.26 on 1, and pico-sdk's alarm pool 3.
#define ALARM (0)
#define ALARM_IRQ TIMER_ALARM_IRQ_NUM(timer_hw, ALARM)

#define US_PER_TICK (1000000 / configTICK_RATE_HZ)

static uint64_t next_us; // when the next tick is due
volatile uint32_t kernel_tick_interrupts;

// Set it for the next tick, or for that time if it comes before. It fires when the timer's low 32 bits become equal to it
// (RP2040 datasheet, 4.6.3): never for what is over, and then its interrupt is forced.
void __not_in_flash_func(mp_thread_set_alarm)(uint64_t us) {
    uint64_t first = MIN(next_us, us);
    timer_hw->alarm[ALARM] = (uint32_t)first;
    if (time_us_64() >= first) {
        hw_set_bits(&timer_hw->intf, 1u << ALARM);
    }
}

static bool __not_in_flash_func(take_tick)(void) {
    uint32_t state = kernel_lock();
    bool due = time_us_64() >= next_us;
    if (due) {
        next_us += US_PER_TICK;
    }
    kernel_unlock(state);
    return due;
}

// Give the kernel the ticks that are due: more than one where interrupts were masked. True if another task shall run.
static bool __not_in_flash_func(count_ticks)(void) {
    BaseType_t switch_wanted = pdFALSE;
    while (take_tick()) {
        uint32_t state = taskENTER_CRITICAL_FROM_ISR();
        switch_wanted |= xTaskIncrementTick();
        taskEXIT_CRITICAL_FROM_ISR(state);
    }
    return switch_wanted;
}

static void __not_in_flash_func(tick_handler)(void) {
    hw_clear_bits(&timer_hw->intf, 1u << ALARM);
    timer_hw->intr = 1u << ALARM;
    kernel_tick_interrupts++;
    const char *overflowed = guard_overflowed();
    if (overflowed != NULL) {
        crash("stack overflow in %s", overflowed);
    }
    bool switch_wanted = count_ticks();
    mp_thread_tick(); // here and not in the kernel's hook: it may take a lock
    mp_thread_alarm(); // sets it for the next tick, too
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
    uint32_t state = kernel_lock();
    next_us = time_us_64() + US_PER_TICK;
    mp_thread_set_alarm(UINT64_MAX);
    kernel_unlock(state);
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
    uint32_t state = kernel_lock();
    next_us = MAX(next_us, time_us_64());
    kernel_unlock(state);
    bool switch_wanted = count_ticks();
    mp_thread_alarm();
    irq_set_enabled(ALARM_IRQ, true);
    portYIELD_FROM_ISR(switch_wanted);
    service_notify();
}
