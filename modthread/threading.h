// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_THREADING_H
#define MODTHREAD_THREADING_H

#include "py/obj.h"

// _thread_class(variables): the class Thread of threading, whose variables these are.
MP_DECLARE_CONST_FUN_OBJ_1(threading_class_obj);

// threading's functions of these names
MP_DECLARE_CONST_FUN_OBJ_0(threading_counter_obj);
MP_DECLARE_CONST_FUN_OBJ_0(threading_current_thread_obj);
MP_DECLARE_CONST_FUN_OBJ_0(threading_main_thread_obj);
MP_DECLARE_CONST_FUN_OBJ_0(threading_enumerate_obj);

// In a thread that such an object has started: call its run().
void threading_run(mp_obj_t thread);

// For a soft reset: the heap goes, and the class with it.
void threading_reset(void);

#endif // MODTHREAD_THREADING_H
