// This file is part of modthread. SPDX-License-Identifier: MIT
//
// py/malloc.c is compiled with the names of the functions here for those of py/gc.c.

#include <string.h>

#include "py/gc.h"

#include "buffer.h"

static buffer_t *held;

void buffer_hold(buffer_t *buffer, const void *start, size_t size) {
    buffer->start = start;
    buffer->end = buffer->start + size;
    buffer->block = NULL;
    buffer->next = held;
    held = buffer;
}

void buffer_drop(const buffer_t *buffer) {
    buffer_t **link = &held;
    while (*link != buffer) {
        link = &(*link)->next;
    }
    *link = buffer->next;
}

void buffer_reset(void) {
    held = NULL;
}

// Let those who use a part of the block keep it; true if there are any.
static bool keep(void *block, size_t size) {
    bool kept = false;
    for (buffer_t *buffer = held; buffer != NULL; buffer = buffer->next) {
        if (buffer->start < (uint8_t *)block + size && buffer->end > (uint8_t *)block) {
            buffer->block = block;
            kept = true;
        }
    }
    return kept;
}

// gc_free()
void buffer_free(void *block) {
    if (held == NULL || block == NULL || !keep(block, gc_nbytes(block))) {
        gc_free(block);
    }
}

static void *move(const void *block, size_t size, size_t new_size) {
    void *copy = gc_alloc(new_size, 0);
    if (copy != NULL) {
        memcpy(copy, block, size);
    }
    return copy;
}

// gc_realloc(): a block that is held may grow in place, but neither shrinks nor is freed.
void *buffer_realloc(void *block, size_t new_size, bool may_move) {
    size_t size = held == NULL || block == NULL ? 0 : gc_nbytes(block);
    if (size == 0 || !keep(block, size)) {
        return gc_realloc(block, new_size, may_move);
    }
    if (new_size <= size) {
        return new_size == 0 ? NULL : block;
    }
    void *grown = gc_realloc(block, new_size, false);
    return grown == NULL && may_move ? move(block, size, new_size) : grown;
}
