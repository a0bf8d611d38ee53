// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Code that the decorators native and viper compile takes part in turns, callbacks and Ctrl-C, on chips with RISC-V
// processors. On those with Xtensa nobody has done it.

#ifndef MODTHREAD_ESP32_COMPILED_H
#define MODTHREAD_ESP32_COMPILED_H

#if __riscv

// Call last in an interrupt of the lowest priority.
void compiled_tick(void);

// A soft reset has freed all compiled code. Needs the GIL.
void compiled_reset(void);

#else

static inline void compiled_tick(void) {
}

static inline void compiled_reset(void) {
}

#endif

#endif // MODTHREAD_ESP32_COMPILED_H
