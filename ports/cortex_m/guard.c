// This file is part of modthread. SPDX-License-Identifier: MIT

#include <stdbool.h>
#include <stddef.h>

#include "guard.h"

#define GUARD (0x5afe57ac)

void guard_stacks(void) {
    for (const guarded_stack_t *stack = guarded_stacks; stack->lowest != NULL; stack++) {
        for (int i = 0; i < GUARD_WORDS; i++) {
            stack->lowest[i] = GUARD;
        }
    }
}

static bool is_whole(const uint32_t *guard) {
    return ((guard[0] ^ GUARD) | (guard[1] ^ GUARD) | (guard[2] ^ GUARD) | (guard[3] ^ GUARD)) == 0;
}
_Static_assert(GUARD_WORDS == 4, "is_whole() looks at each");

const char *guard_overflowed(void) {
    for (const guarded_stack_t *stack = guarded_stacks; stack->lowest != NULL; stack++) {
        if (!is_whole(stack->lowest)) {
            return stack->whose;
        }
    }
    return NULL;
}
