// This file is part of modthread. SPDX-License-Identifier: MIT
//
// SysTick: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B3.3. It counts down and interrupts once a millisecond.

#include <stdbool.h>

#include "py/mphal.h"
#include "py/mpthread.h"

#if MODTHREAD
#include "ports/cortex_m/compiled.h"
#endif

#include "clock.h"
#include "machine_timer.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)
#define SYST_CSR_ON (7) // the processor's clock, interrupt, enabled
#define SYST_CSR_COUNTFLAG (1 << 16) // it has reached zero since this was read

#define CYCLES_PER_US (MICROPY_HW_CPU_HZ / 1000000)
#define CYCLES_PER_MS (MICROPY_HW_CPU_HZ / 1000)

// Whoever reads the time counts the period that is over, so that time goes on while the interrupt is masked and somebody
// looks; the interrupt does the rest for all that have been counted.
static uint64_t whole_ms;
static uint32_t ticks_due;

void clock_init(void) {
    SYST_RVR = CYCLES_PER_MS - 1;
    SYST_CVR = 0; // loads it at the next cycle
    SYST_CSR = SYST_CSR_ON;
}

// Milliseconds, and the cycles since then. The counter is read before the flag, and again if a period has ended between.
static inline __attribute__((always_inline)) uint64_t now(uint32_t *cycles) {
    mp_uint_t state = mp_hal_begin_atomic_section();
    uint32_t left = SYST_CVR;
    if (SYST_CSR & SYST_CSR_COUNTFLAG) {
        left = SYST_CVR;
        whole_ms++;
        ticks_due++;
    }
    uint64_t ms = whole_ms;
    mp_hal_end_atomic_section(state);
    *cycles = left == 0 ? 0 : CYCLES_PER_MS - left;
    return ms;
}

static bool take_tick(void) {
    mp_uint_t state = mp_hal_begin_atomic_section();
    bool due = ticks_due != 0;
    if (due) {
        ticks_due--;
    }
    mp_hal_end_atomic_section(state);
    return due;
}

void SysTick_Handler(void) {
    uint32_t cycles;
    now(&cycles);
    while (take_tick()) {
        machine_timer_tick();
        #if MICROPY_PY_THREAD
        kernel_tick_handler();
        #endif
    }
    #if MODTHREAD
    compiled_tick();
    #endif
}

mp_uint_t mp_hal_ticks_ms(void) {
    uint32_t cycles;
    return (mp_uint_t)now(&cycles);
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

uint64_t mp_thread_time_us(void) {
    uint32_t cycles;
    uint64_t ms = now(&cycles);
    return ms * 1000 + cycles / CYCLES_PER_US;
}

// The kernel starts its tick here.
void vPortSetupTimerInterrupt(void) {
    clock_init();
}

#endif
