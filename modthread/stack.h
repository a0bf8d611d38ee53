// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The memory for stacks, and how much of it is left.

#ifndef MODTHREAD_STACK_H
#define MODTHREAD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "py/gc.h"

#include "stack_needs.h"

// The lowest words of a stack; the guard is what an overflow destroys first.
typedef struct _thread_stack_t {
    struct _thread_stack_t *above; // among those above the heap
    size_t size; // of all of it
    bool in_heap; // it is a block of the heap: stack_free() leaves it to the garbage collector
    int8_t core; // where the task runs that has this stack, or KERNEL_ANY_CORE
    uint32_t guard;
    uint32_t words[];
} thread_stack_t;

// The heap grows and shrinks by what one byte of its allocation table stands for: two bits a block (py/gc.c).
#define STACK_STEP (4 * MICROPY_BYTES_PER_GC_BLOCK)
#define STACK_ROUND_UP(size) (((size) + STACK_STEP - 1) / STACK_STEP * STACK_STEP)

#define STACK_GUARD (0x7357ac4b)

// Allocate a stack of that many bytes, this record included, rounded up before. It is not cleared. Needs the GIL.
// Raises MemoryError.
thread_stack_t *stack_new(size_t size);

// Free a stack on which nothing runs any more. Needs the GIL.
void stack_free(thread_stack_t *stack);

// What C code of a thread may use between two checks of the stack, and what it takes to raise an exception.
#ifndef MODTHREAD_STACK_MARGIN
#define MODTHREAD_STACK_MARGIN MICROPY_STACK_CHECK_MARGIN
#endif

// Raises RuntimeError where less than that many bytes of the stack are left. From interrupts, too; needs the GIL otherwise.
void stack_check(size_t bytes);

// Whether so many are left as it takes to close a file. False in a finaliser only; raises RuntimeError elsewhere.
bool stack_enough_to_close(void);

#endif // MODTHREAD_STACK_H
