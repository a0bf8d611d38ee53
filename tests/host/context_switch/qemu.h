// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What qemu.c provides for one machine of QEMU, and asks of it; the build names the machine.

#ifndef QEMU_H
#define QEMU_H

#include <stdint.h>

#if MACHINE_microbit
#define CLOCK_HZ (16000000)
#define SLICE_IRQ (9)
#define ALARM_IRQ (10)
#else
#define CLOCK_HZ (20000000)
#define SLICE_IRQ (3)
#define ALARM_IRQ (4)
#endif

// Of the four that two bits tell apart; PendSV and SysTick have the last one.
#define SLICE_PRIORITY (0x80)
#define ALARM_PRIORITY (0x40)

void irq_enable(unsigned irq, uint8_t priority);
void irq_disable(unsigned irq);

void slice_interrupt(void);
void alarm_interrupt(void);

#endif // QEMU_H
