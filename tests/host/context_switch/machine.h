// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What main.c asks of a machine, and what each machine's file provides beside the kernel's tick (tick.h of the port).

#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

// Make the console ready. Its text goes to the host; a machine that can be left ends with machine_stop().
void machine_start(void);
void machine_print(const char *text);
void machine_stop(void) __attribute__((noreturn));

// Microseconds that have passed.
uint32_t machine_time_us(void);

// Two interrupts: slice_handler() is called when the period that was set is over, and sets the next one; alarm_handler()
// does the same with the alarm, by a more urgent interrupt. Both last about as long as that many instructions.
void machine_start_interrupts(void);
void machine_stop_interrupts(void);
void machine_set_period(uint32_t instructions);
void machine_set_alarm(uint32_t instructions);
void slice_handler(void);
void alarm_handler(void);

// What only this machine's tick can.
void machine_test_tick(void);

// Ends the test.
void check(bool good, const char *what);

#endif // MACHINE_H
