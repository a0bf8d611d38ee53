// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What QEMU's machines have in common: start, vector table, SysTick, and the console by semihosting (Arm,
// Semihosting for AArch32 and AArch64, Release 2.0), which also ends the emulator.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "FreeRTOS.h"
#include "task.h"

#include "machine.h"
#include "qemu.h"
#include "tick.h"

#define SYS_WRITE0 (0x04)
#define SYS_EXIT (0x18)
#define APPLICATION_EXIT (0x20026)

#define NVIC_ISER ((volatile uint32_t *)0xe000e100)
#define NVIC_ICER ((volatile uint32_t *)0xe000e180)
#define NVIC_IPR ((volatile uint32_t *)0xe000e400) // only whole words can be written
#define SHPR3 (*(volatile uint32_t *)0xe000ed20)
#define SHPR3_SYSTICK_LOWEST (0xffu << 24)
#define SYST_CSR (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018)
#define SYST_CSR_RUN (7u) // with interrupts, by the processor's clock

// The floating-point unit, for everybody (Arm DDI 0553, D1.2).
#define CPACR (*(volatile uint32_t *)0xe000ed88)
#define CPACR_FLOATS (0xfu << 20)

extern uint32_t data_source, data_start, data_end, bss_start, bss_end, stack_top;

int main(void);
void reset(void);
void *_sbrk(ptrdiff_t size);

void reset(void) {
    for (uint32_t *from = &data_source, *to = &data_start; to < &data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end;) {
        *to++ = 0;
    }
    #if __ARM_FP
    CPACR |= CPACR_FLOATS;
    __asm volatile ("dsb\n isb" : : : "memory");
    #endif
    main();
}

// Newlib's vsnprintf() names it, and needs it for nothing that is printed here.
void *_sbrk(ptrdiff_t size) {
    (void)size;
    stop("memory was allocated");
}

static uintptr_t semihosting(uintptr_t operation, uintptr_t argument) {
    register uintptr_t r0 __asm("r0") = operation;
    register uintptr_t r1 __asm("r1") = argument;
    __asm volatile ("bkpt 0xab" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}

void machine_print(const char *text) {
    semihosting(SYS_WRITE0, (uintptr_t)text);
}

void machine_stop(void) {
    for (;;) {
        semihosting(SYS_EXIT, APPLICATION_EXIT);
    }
}

void irq_enable(unsigned irq, uint8_t priority) {
    NVIC_IPR[irq / 4] = (NVIC_IPR[irq / 4] & ~(0xffu << irq % 4 * 8)) | (uint32_t)priority << irq % 4 * 8;
    NVIC_ISER[irq / 32] = 1u << irq % 32;
}

void irq_disable(unsigned irq) {
    NVIC_ICER[irq / 32] = 1u << irq % 32;
    __asm volatile ("dsb\n isb" : : : "memory");
}

void kernel_tick_start(void) {
    SHPR3 |= SHPR3_SYSTICK_LOWEST;
    SYST_RVR = CLOCK_HZ / configTICK_RATE_HZ - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_RUN;
}

static void systick_handler(void) {
    uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
    BaseType_t switch_wanted = xTaskIncrementTick();
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
    portYIELD_FROM_ISR(switch_wanted);
}

// It loses ticks while interrupts are masked.
void machine_test_tick(void) {
}

static void unexpected_interrupt(void) {
    check(false, "an interrupt that nobody has enabled");
}

void HardFault_Handler(void);
void PendSV_Handler(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[16 + 16] = {
    [0] = &stack_top,
    [1] = reset,
    [2] = unexpected_interrupt,
    [3] = HardFault_Handler,
    [4 ... 13] = unexpected_interrupt,
    [14] = PendSV_Handler,
    [15] = systick_handler,
    [16 + SLICE_IRQ] = slice_interrupt,
    [16 + ALARM_IRQ] = alarm_interrupt,
};
