// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Found before the kernel's own file of this name, which it includes: only what must differ is here.

#ifndef MODTHREAD_RP2_PORTMACRO_H
#define MODTHREAD_RP2_PORTMACRO_H

#include_next <portmacro.h>

// A task holds this lock with interrupts enabled while it has the scheduler suspended, and other cores wait for it with
// interrupts masked: they must be able to stop there, see cores.c.
void cores_get_task_lock(uint32_t core);
void cores_release_task_lock(void);

#undef portGET_TASK_LOCK
#undef portRELEASE_TASK_LOCK
#define portGET_TASK_LOCK(core) cores_get_task_lock(core)
#define portRELEASE_TASK_LOCK(core) cores_release_task_lock()

// The handler of the interrupt from the other core, which the port has only together with what sdk_locks.h replaces.
void cores_interrupt(void);
#define prvFIFOInterruptHandler cores_interrupt

#endif // MODTHREAD_RP2_PORTMACRO_H
