// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_HANDLE_H
#define MODTHREAD_HANDLE_H

#include "lock.h"

// Two GC blocks, on 32-bit chips 32 bytes.
typedef struct _mp_obj_thread_handle_t {
    mp_obj_thread_lock_t lives; // whose type is the handle's
    uint32_t ident; // or HANDLE_NOT_STARTED
    uintptr_t native_id;
    mp_obj_t thread; // what threading.current_thread() returns in the thread, or MP_OBJ_NULL
    bool done; // the lock may be locked still: those who join pass it on
} mp_obj_thread_handle_t;

#define HANDLE_NOT_STARTED (0)

extern const mp_obj_type_t mp_type_thread_handle;

// start_joinable_thread(function, handle=None, daemon=True)
MP_DECLARE_CONST_FUN_OBJ_KW(handle_start_joinable_thread_obj);

// Make a handle of memory that has its type already.
void handle_prepare(mp_obj_thread_handle_t *handle);

// Start a thread that calls function(). Needs the GIL. Raises what thread_start() raises; then the handle is as it was before.
void handle_start(mp_obj_thread_handle_t *handle, mp_obj_t function);

// Wait for the end of a thread that was started and is not the calling one. Needs the GIL; blocks. Raises what lock_take() raises.
void handle_wait(mp_obj_thread_handle_t *handle, deadline_t deadline);

// What current_thread() returns in a thread with that handle, or MP_OBJ_NULL; the handle may be MP_OBJ_NULL, too.
static inline mp_obj_t handle_thread(mp_obj_t handle) {
    return handle == MP_OBJ_NULL ? MP_OBJ_NULL : ((mp_obj_thread_handle_t *)MP_OBJ_TO_PTR(handle))->thread;
}

// The thread has ended: whoever joins it goes on. Needs the GIL.
void handle_end(mp_obj_t handle);

#endif // MODTHREAD_HANDLE_H
