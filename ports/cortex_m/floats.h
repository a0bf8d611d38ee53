// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_CORTEX_M_FLOATS_H
#define MODTHREAD_CORTEX_M_FLOATS_H

// What a task has more on its stack than without a floating-point unit when another one runs, in bytes: s0 to s31 and FPSCR,
// and the state of an RP2350's double-precision coprocessor. Rounded up to 32.
#if __ARM_FP
#define FLOATS_SIZE (192)
#else
#define FLOATS_SIZE (0)
#endif

#endif // MODTHREAD_CORTEX_M_FLOATS_H
