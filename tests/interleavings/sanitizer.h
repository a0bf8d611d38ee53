// This file is part of modthread. SPDX-License-Identifier: MIT
//
// AddressSanitizer instead of points at accesses to memory: make SANITIZE=1. It must know which stack is in use, and what
// is deleted; what a run has left on stacks must not be held against the next one.

#ifndef MODTHREAD_INTERLEAVINGS_SANITIZER_H
#define MODTHREAD_INTERLEAVINGS_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

#if SANITIZE

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

// Where the search runs, which is known when the first task begins.
extern const void *sanitizer_search_stack;
extern size_t sanitizer_search_stack_size;

static inline void sanitizer_leave_search(const void *stack, size_t size) {
    __sanitizer_start_switch_fiber(NULL, stack, size);
}

static inline void sanitizer_enter_task(void) {
    __sanitizer_finish_switch_fiber(NULL, &sanitizer_search_stack, &sanitizer_search_stack_size);
}

static inline void sanitizer_leave_task(void) {
    __sanitizer_start_switch_fiber(NULL, sanitizer_search_stack, sanitizer_search_stack_size);
}

static inline void sanitizer_enter_search(void) {
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

static inline void sanitizer_mark(const void *address, size_t size, bool is_deleted) {
    if (is_deleted) {
        __asan_poison_memory_region(address, size);
    } else {
        __asan_unpoison_memory_region(address, size);
    }
}

// What it has found since the last call, or NULL.
const char *sanitizer_report(void);

#else

static inline void sanitizer_leave_search(const void *stack, size_t size) {
    (void)stack;
    (void)size;
}

static inline void sanitizer_enter_task(void) {
}

static inline void sanitizer_leave_task(void) {
}

static inline void sanitizer_enter_search(void) {
}

static inline void sanitizer_mark(const void *address, size_t size, bool is_deleted) {
    (void)address;
    (void)size;
    (void)is_deleted;
}

static inline const char *sanitizer_report(void) {
    return NULL;
}

#endif

#endif // MODTHREAD_INTERLEAVINGS_SANITIZER_H
