// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Guards below stacks that are none of a thread's. An overflow destroys one before it gets to what lies below.

#ifndef MODTHREAD_CORTEX_M_GUARD_H
#define MODTHREAD_CORTEX_M_GUARD_H

#include <stdint.h>

// The lowest words of such a stack. More than one, for a frame has holes.
#define GUARD_WORDS (4)

typedef struct _guarded_stack_t {
    uint32_t *lowest;
    const char *whose; // for messages
} guarded_stack_t;

// A port provides them. The last one has no lowest word.
extern const guarded_stack_t guarded_stacks[];

// Set all guards; before the kernel runs.
void guard_stacks(void);

// Whose stack has overflowed, or NULL. From anywhere.
const char *guard_overflowed(void);

#endif // MODTHREAD_CORTEX_M_GUARD_H
