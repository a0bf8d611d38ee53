// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The alarm of threads that wait until some time: it implements mp_thread_set_alarm() of modthread/mpthreadport.h.

#ifndef MICROPY_INCLUDED_QEMU_ALARM_H
#define MICROPY_INCLUDED_QEMU_ALARM_H

#define ALARM_IRQ (10)

void alarm_init(void);

void alarm_handler(void);

#endif // MICROPY_INCLUDED_QEMU_ALARM_H
