// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The first 32 interrupts of the chip: Arm DDI 0403 (Armv7-M Architecture Reference Manual), B3.4.

#ifndef MODTHREAD_QEMU_NVIC_H
#define MODTHREAD_QEMU_NVIC_H

#include <stdint.h>

#define NVIC_ISER0 (*(volatile uint32_t *)0xe000e100)
#define NVIC_ICPR0 (*(volatile uint32_t *)0xe000e280)
#define NVIC_IPR ((volatile uint8_t *)0xe000e400)

// Enable an interrupt, with a priority.
static inline void nvic_enable(unsigned int number, uint8_t priority) {
    NVIC_IPR[number] = priority;
    NVIC_ISER0 = 1u << number;
}

#endif // MODTHREAD_QEMU_NVIC_H
