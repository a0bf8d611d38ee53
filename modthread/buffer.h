// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Buffers that a driver uses while other threads run Python. A thread may shrink or enlarge a bytearray meanwhile, which
// frees memory at once: here such memory is left to the garbage collector, which finds it with the driver.

#ifndef MODTHREAD_BUFFER_H
#define MODTHREAD_BUFFER_H

#include <stddef.h>
#include <stdint.h>

// On the stack of the thread that uses it.
typedef struct _buffer_t {
    struct _buffer_t *next;
    const uint8_t *start;
    const uint8_t *end;
    void *block; // that nobody else refers to any more
} buffer_t;

// From now on this memory stays as it is, whatever other threads do with the object. It need not be of the heap. Needs the
// GIL; never blocks.
void buffer_hold(buffer_t *buffer, const void *start, size_t size);
void buffer_drop(const buffer_t *buffer);

// A soft reset deletes all other threads: before it does.
void buffer_reset(void);

#endif // MODTHREAD_BUFFER_H
