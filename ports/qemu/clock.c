// This file is part of modthread. SPDX-License-Identifier: MIT
//
// SysTick: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B3.3.

#include "py/mphal.h"

#include "clock.h"
#include "machine_timer.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)
#define ICSR (*(volatile uint32_t *)0xe000ed04)
#define ICSR_PENDSTSET (1 << 26)

#define CYCLES_PER_US (MICROPY_HW_CPU_HZ / 1000000)
#define CYCLES_PER_TICK (MICROPY_HW_CPU_HZ / 1000)

static uint64_t ticks;

void clock_tick(void) {
    ticks++;
    machine_timer_tick();
}

// Ticks, and the cycles since the last one. SysTick counts down, and a tick may have ended without having been counted
// because interrupts are masked.
static uint64_t now(uint32_t *cycles) {
    mp_uint_t state = mp_hal_begin_atomic_section();
    uint64_t whole = ticks;
    uint32_t left = SYST_CVR;
    if (ICSR & ICSR_PENDSTSET) {
        left = SYST_CVR;
        whole++;
    }
    mp_hal_end_atomic_section(state);
    *cycles = CYCLES_PER_TICK - 1 - left;
    return whole;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)ticks;
}

mp_uint_t mp_hal_ticks_us(void) {
    uint32_t cycles;
    uint32_t ms = (uint32_t)now(&cycles);
    return ms * 1000 + cycles / CYCLES_PER_US;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    uint32_t cycles;
    uint32_t ms = (uint32_t)now(&cycles);
    return ms * CYCLES_PER_TICK + cycles;
}

// There is no real-time clock: the time since the board started.
uint64_t mp_hal_time_ns(void) {
    uint32_t cycles;
    uint64_t ms = now(&cycles);
    return ms * 1000000 + cycles * (1000 / CYCLES_PER_US);
}

#if !MICROPY_PY_THREAD

void clock_init(void) {
    SYST_RVR = CYCLES_PER_TICK - 1;
    SYST_CVR = 0;
    SYST_CSR = 7; // the processor's clock, interrupt, on
}

void SysTick_Handler(void) {
    clock_tick();
}

#endif
