// This file is part of modthread. SPDX-License-Identifier: MIT
//
// SysTick: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B3.3. It counts down and interrupts once a millisecond.

#include "py/mphal.h"

#include "clock.h"
#include "machine_timer.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)
#define SYST_CSR_ON (7) // the processor's clock, interrupt, enabled
#define ICSR (*(volatile uint32_t *)0xe000ed04)
#define ICSR_PENDSTSET (1 << 26)

#define CYCLES_PER_US (MICROPY_HW_CPU_HZ / 1000000)
#define CYCLES_PER_MS (MICROPY_HW_CPU_HZ / 1000)

static uint64_t whole_ms; // at the start of SysTick's period

void clock_init(void) {
    SYST_RVR = CYCLES_PER_MS - 1;
    SYST_CVR = 0; // loads it at the next cycle
    SYST_CSR = SYST_CSR_ON;
}

void clock_tick(void) {
    whole_ms++;
    machine_timer_tick();
}

// Cycles since the last tick that was counted; the next one may be over while its interrupt is masked. SysTick interrupts
// when it reaches zero, one cycle before it begins anew.
static inline __attribute__((always_inline)) uint32_t cycles_since_tick(void) {
    uint32_t left = SYST_CVR;
    if (!(ICSR & ICSR_PENDSTSET)) {
        return CYCLES_PER_MS - 1 - left;
    }
    left = SYST_CVR;
    return left == 0 ? CYCLES_PER_MS : 2 * CYCLES_PER_MS - 1 - left;
}

// Milliseconds, and the cycles since then; more than a millisecond of them while the tick is masked.
static inline __attribute__((always_inline)) uint64_t now(uint32_t *cycles) {
    mp_uint_t state = mp_hal_begin_atomic_section();
    uint64_t ms = whole_ms;
    *cycles = cycles_since_tick();
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

#else

void SysTick_Handler(void) {
    clock_tick();
}

#endif
