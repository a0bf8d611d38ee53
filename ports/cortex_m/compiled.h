// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Code that the decorators native, viper and asm_thumb compile takes part in turns, callbacks and Ctrl-C.

#ifndef MODTHREAD_CORTEX_M_COMPILED_H
#define MODTHREAD_CORTEX_M_COMPILED_H

// Call last in the tick interrupt, which must be of the lowest priority: so it has interrupted a task.
void compiled_tick(void);

#endif // MODTHREAD_CORTEX_M_COMPILED_H
