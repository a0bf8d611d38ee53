// This file is part of modthread. SPDX-License-Identifier: MIT
//
// SysTick: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B3.3. It counts down and interrupts once a millisecond;
// while the kernel is idle its period is stretched, up to when the next thread wants to run.

#include "py/mphal.h"

#if MICROPY_PY_THREAD
#include "FreeRTOS.h"
#include "task.h"
#endif

#include "clock.h"
#include "machine_timer.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)
#define SYST_CSR_ON (7) // the processor's clock, interrupt, enabled
#define SYST_CSR_OFF (6) // the clock stays: the count is of its cycles
#define ICSR (*(volatile uint32_t *)0xe000ed04)
#define ICSR_PENDSTSET (1 << 26)

#define CYCLES_PER_US (MICROPY_HW_CPU_HZ / 1000000)
#define CYCLES_PER_MS (MICROPY_HW_CPU_HZ / 1000)

// The time when SysTick's period began, and how long that period is.
static uint64_t whole_ms;
static uint32_t cycles_in_ms;
static uint32_t period;

static bool tick_counted; // the pending tick interrupt ends a sleep that is part of the time already

// One period of so many cycles, then periods of a millisecond.
static void systick_start(uint32_t cycles) {
    period = cycles;
    SYST_RVR = MAX(cycles, 2) - 1; // 0 would stop it
    SYST_CVR = 0; // loads it at the next cycle
    SYST_CSR = SYST_CSR_ON;
    while (SYST_CVR == 0) {
    }
    SYST_RVR = CYCLES_PER_MS - 1;
}

void clock_init(void) {
    systick_start(CYCLES_PER_MS);
}

static void advance(uint32_t cycles) {
    cycles_in_ms += cycles;
    while (cycles_in_ms >= CYCLES_PER_MS) {
        cycles_in_ms -= CYCLES_PER_MS;
        whole_ms++;
        machine_timer_tick();
    }
}

void clock_tick(void) {
    if (!tick_counted) {
        advance(period);
        period = CYCLES_PER_MS;
    }
    tick_counted = false;
}

static bool tick_pending(void) {
    return (ICSR & ICSR_PENDSTSET) && !tick_counted;
}

// Cycles since the period began, though the tick interrupt that ends it may be masked. SysTick interrupts when it reaches
// zero, one cycle before it begins anew.
static uint32_t cycles_in_period(void) {
    uint32_t left = SYST_CVR;
    if (!tick_pending()) {
        return period - 1 - left;
    }
    left = SYST_CVR;
    return left == 0 ? period : period + CYCLES_PER_MS - 1 - left;
}

// Milliseconds, and the cycles since then; more than a millisecond of them while the tick is masked.
static uint64_t now(uint32_t *cycles) {
    mp_uint_t state = mp_hal_begin_atomic_section();
    uint64_t ms = whole_ms;
    *cycles = cycles_in_ms + cycles_in_period();
    mp_hal_end_atomic_section(state);
    return ms;
}

mp_uint_t mp_hal_ticks_ms(void) {
    uint32_t cycles;
    uint32_t ms = (uint32_t)now(&cycles);
    return ms + cycles / CYCLES_PER_MS;
}

mp_uint_t mp_hal_ticks_us(void) {
    uint32_t cycles;
    uint32_t ms = (uint32_t)now(&cycles);
    return ms * 1000 + cycles / CYCLES_PER_US;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    uint32_t cycles;
    uint32_t ms = (uint32_t)now(&cycles);
    return ms * CYCLES_PER_MS + cycles;
}

// There is no real-time clock: the time since the board started.
uint64_t mp_hal_time_ns(void) {
    uint32_t cycles;
    uint64_t ms = now(&cycles);
    return ms * 1000000 + (uint64_t)cycles * (1000 / CYCLES_PER_US);
}

#if MICROPY_PY_THREAD

// The kernel starts its tick here.
void vPortSetupTimerInterrupt(void) {
    clock_init();
}

// SysTick counts 24 bits.
#define SLEEP_MS_MAX (0x1000000 / CYCLES_PER_MS - 1)

// Sleep for the rest of this millisecond and so many more; returns the milliseconds that have ended.
static uint32_t sleep_until_interrupt(uint32_t ms) {
    SYST_CSR = SYST_CSR_OFF;
    advance(cycles_in_period());
    systick_start(CYCLES_PER_MS - cycles_in_ms + ms * CYCLES_PER_MS);
    __asm volatile ("dsb\n wfi\n isb" : : : "memory");
    SYST_CSR = SYST_CSR_OFF;
    uint64_t before_ms = whole_ms;
    advance(cycles_in_period());
    tick_counted = ICSR & ICSR_PENDSTSET;
    systick_start(CYCLES_PER_MS - cycles_in_ms);
    return (uint32_t)(whole_ms - before_ms);
}

// The kernel's idle task has nothing to do for so many ticks. The scheduler is suspended, and what wakes the processor
// is served when the ticks slept have been counted.
void clock_sleep(uint32_t idle_ticks) {
    __asm volatile ("cpsid i" : : : "memory");
    uint32_t ticks = MIN(MIN(idle_ticks, machine_timer_next_ms()), SLEEP_MS_MAX);
    if (ticks >= 2 && !(ICSR & ICSR_PENDSTSET) && eTaskConfirmSleepModeStatus() != eAbortSleep) {
        uint32_t slept = sleep_until_interrupt(ticks - 1);
        // The pending interrupt counts one of them.
        vTaskStepTick(tick_counted ? MIN(slept, idle_ticks) - 1 : slept);
    }
    __asm volatile ("cpsie i" : : : "memory");
}

#else

void SysTick_Handler(void) {
    clock_tick();
}

#endif
