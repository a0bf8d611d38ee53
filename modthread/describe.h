// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Descriptions of threads, for people.

#ifndef MODTHREAD_DESCRIBE_H
#define MODTHREAD_DESCRIBE_H

#include "py/obj.h"

// A list of (ident, status, stack size, stack in use, function), a tuple for each live thread. Needs the GIL.
mp_obj_t describe_threads(void);

// For a harness whose test hangs: from the first call until a soft reset, Ctrl-C puts a note of each thread into this
// list, (what describe_threads() tells of it, a SystemExit that is raised in it). The traceback of that tells where it
// was, for all this is done before anything is unwound. Needs the GIL.
mp_obj_t describe_interrupt_notes(void);

// Ctrl-C is about to be raised in the main thread.
void describe_interrupted(void);

// Take no notes any more; for a soft reset.
void describe_reset(void);

#endif // MODTHREAD_DESCRIBE_H
