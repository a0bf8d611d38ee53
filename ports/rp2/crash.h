// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_RP2_CRASH_H
#define MODTHREAD_RP2_CRASH_H

// Say on the serial line what has happened, as far as that still works, and restart the board. From anywhere.
void crash(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void crash_assert(const char *file, int line) __attribute__((noreturn));

#endif // MODTHREAD_RP2_CRASH_H
