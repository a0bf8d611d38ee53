// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_HANDLE_H
#define MODTHREAD_HANDLE_H

#include "py/obj.h"

extern const mp_obj_type_t mp_type_thread_handle;

// start_joinable_thread(function, handle=None, daemon=True)
MP_DECLARE_CONST_FUN_OBJ_KW(handle_start_joinable_thread_obj);

// The thread has ended: whoever joins it goes on. Needs the GIL.
void handle_end(mp_obj_t handle);

#endif // MODTHREAD_HANDLE_H
