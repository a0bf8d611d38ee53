// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The lock of each file system. littlefs and FatFs are C code, which no other thread interrupts, until they call a block
// device that is written in Python. So one that is amidst such a call is locked; others wait in line until the operation
// that made the call has ended. What is stored in the chip's own flash never is.

#ifndef MODTHREAD_FILE_SYSTEM_H
#define MODTHREAD_FILE_SYSTEM_H

#include "py/obj.h"

// What extmod/vfs_blockdev.c has for mp_call_method_n_kw(): call a method of a block device. Needs the GIL.
mp_obj_t file_system_call_method(size_t n_args, size_t n_kw, const mp_obj_t *method);

// A soft reset has deleted the other threads: nobody is in a file system, or waits for one.
void file_system_reset(void);

#endif // MODTHREAD_FILE_SYSTEM_H
