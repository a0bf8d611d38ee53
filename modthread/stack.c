// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Stacks lie above MicroPython's heap, which ends where the lowest of them begins. In the heap they would cost much for
// nothing: it clears what it allocates, and each collection visits each of its blocks. Only where the end of the heap is
// in use, a stack is a block like any other.
//
// With a kernel that has a heap of its own stacks come from there, and if that has no room from MicroPython's.

#include "py/cstack.h"
#include "py/gc.h"
#include "py/runtime.h"

#include "kernel.h"
#include "scheduler.h"
#include "stack.h"

#if KERNEL_HAS_HEAP

static thread_stack_t *place_outside_heap(size_t size) {
    return kernel_malloc(size);
}

static thread_stack_t *place_in_heap(size_t size) {
    thread_stack_t *stack = m_malloc(size);
    if (!kernel_can_run_in(stack)) {
        m_free(stack);
        m_malloc_fail(size);
    }
    return stack;
}

static void free_outside_heap(thread_stack_t *stack) {
    kernel_free(stack);
}

#else

static thread_stack_t *lowest; // of those above the heap, linked from bottom to top
static uint8_t *top; // the heap's end while there are none
static size_t gaps; // bytes that freed ones have left between others

static uint8_t *heap_end(void) {
    return MP_STATE_MEM(area).gc_pool_end;
}

static void set_heap_end(uint8_t *end) {
    mp_state_mem_area_t *heap = &MP_STATE_MEM(area);
    size_t blocks = (end - heap->gc_pool_start) / MICROPY_BYTES_PER_GC_BLOCK;
    heap->gc_pool_end = end;
    heap->gc_alloc_table_byte_len = (end - heap->gc_pool_start) / STACK_STEP;
    heap->gc_last_used_block = MIN(heap->gc_last_used_block, blocks - 1);
}

static bool heap_ends_with_free(size_t size) {
    mp_state_mem_area_t *heap = &MP_STATE_MEM(area);
    size_t steps = size / STACK_STEP;
    if (steps >= heap->gc_alloc_table_byte_len) {
        return false;
    }
    const uint8_t *table = heap->gc_alloc_table_start + heap->gc_alloc_table_byte_len - steps;
    for (size_t i = 0; i < steps; i++) {
        if (table[i] != 0) {
            return false;
        }
    }
    return true;
}

static uint8_t *end_of(const thread_stack_t *stack) {
    return (uint8_t *)stack + stack->size;
}

// Where the next one begins, or what lies above all.
static uint8_t *end_of_gap_above(const thread_stack_t *stack) {
    return stack->above == NULL ? top : (uint8_t *)stack->above;
}

// At the beginning of the highest gap that is large enough; NULL if there is none.
static thread_stack_t *place_in_gap(size_t size) {
    thread_stack_t *below = NULL;
    for (thread_stack_t *stack = gaps < size ? NULL : lowest; stack != NULL; stack = stack->above) {
        if ((size_t)(end_of_gap_above(stack) - end_of(stack)) >= size) {
            below = stack;
        }
    }
    if (below == NULL) {
        return NULL;
    }
    thread_stack_t *stack = (thread_stack_t *)end_of(below);
    stack->above = below->above;
    below->above = stack;
    gaps -= size;
    return stack;
}

// In place of the heap's end; NULL if that is in use.
static thread_stack_t *place_below(size_t size) {
    if (lowest == NULL) {
        top = heap_end();
    }
    if (!heap_ends_with_free(size)) {
        return NULL;
    }
    thread_stack_t *stack = (thread_stack_t *)(heap_end() - size);
    set_heap_end((uint8_t *)stack);
    stack->above = lowest;
    lowest = stack;
    return stack;
}

static thread_stack_t *place_outside_heap(size_t size) {
    thread_stack_t *stack = place_in_gap(size);
    return stack == NULL ? place_below(size) : stack;
}

static thread_stack_t *place_in_heap(size_t size) {
    #if MICROPY_GC_SPLIT_HEAP
    // The heap's other parts may be behind the controller of the flash, and a thread that writes to flash could not use its
    // stack there.
    m_malloc_fail(size);
    #else
    return m_malloc(size);
    #endif
}

static void free_outside_heap(thread_stack_t *stack) {
    gaps += stack->size;
    thread_stack_t **link = &lowest;
    while (*link != stack) {
        link = &(*link)->above;
    }
    *link = stack->above;
    if (link == &lowest) {
        uint8_t *end = end_of_gap_above(stack);
        gaps -= end - (uint8_t *)stack;
        set_heap_end(end);
    }
}

#endif

thread_stack_t *stack_new(size_t size) {
    thread_stack_t *stack = place_outside_heap(size);
    #if KERNEL_HAS_HEAP || MICROPY_GC_SPLIT_HEAP
    if (stack == NULL) {
        gc_collect(); // stacks of finished threads, and garbage, may be in the way
        stack = place_outside_heap(size);
    }
    #endif
    bool in_heap = stack == NULL;
    if (in_heap) {
        stack = place_in_heap(size);
    }
    stack->size = size;
    stack->in_heap = in_heap;
    return stack;
}

void stack_free(thread_stack_t *stack) {
    if (!stack->in_heap) {
        free_outside_heap(stack);
    }
}

/******************************************************************************/
// How much is left: see checked/files.h

static bool has(size_t bytes) {
    #if MICROPY_STACK_CHECK
    return mp_cstack_usage() + bytes < MP_STATE_THREAD(stack_limit) + MODTHREAD_STACK_MARGIN;
    #else
    return true;
    #endif
}

void stack_check(size_t bytes) {
    if (!has(bytes)) {
        mp_raise_recursion_depth();
    }
}

bool stack_enough_to_close(void) {
    if (!scheduler_is_locked()) {
        stack_check(STACK_NEED_FILES);
    }
    return has(STACK_NEED_FILES);
}
