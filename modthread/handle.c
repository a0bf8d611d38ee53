// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Threads that others can join. The thread's handle outlives its stack. Names, meaning and messages are those of CPython
// 3.13's Modules/_threadmodule.c.
//
// A handle is a lock that is locked while the thread lives. To join the thread is to wait in that lock's line. Whoever comes
// out of the line opens the lock again, so all get through.

#include "py/runtime.h"

#include "arguments.h"
#include "gil.h"
#include "handle.h"
#include "lock.h"
#include "thread.h"

void handle_prepare(mp_obj_thread_handle_t *handle) {
    lock_prepare(&handle->lives, LOCK_FREE);
    handle->ident = HANDLE_NOT_STARTED;
    handle->native_id = 0;
    handle->thread = MP_OBJ_NULL;
    handle->done = false;
}

void handle_start(mp_obj_thread_handle_t *handle, mp_obj_t function) {
    thread_call_t *call = m_new_obj_var(thread_call_t, args, mp_obj_t, 0);
    call->function = function;
    call->handle = MP_OBJ_FROM_PTR(handle);
    call->n_args = 0;
    call->n_kw = 0;
    handle->ident = thread_start(call, MODTHREAD_CORE_DEFAULT);
    handle->lives.taken_by = handle->ident; // nobody has come to wait for it: the GIL is still ours
    handle->native_id = (uintptr_t)thread_list->task;
}

void handle_wait(mp_obj_thread_handle_t *handle, deadline_t deadline) {
    if (!handle->done && lock_take(&handle->lives, true, deadline)) {
        lock_give(&handle->lives);
    }
}

void handle_end(mp_obj_t self_in) {
    mp_obj_thread_handle_t *self = MP_OBJ_TO_PTR(self_in);
    self->done = true;
    lock_give(&self->lives);
}

/******************************************************************************/
// The Python type

static mp_obj_t handle_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    mp_obj_thread_handle_t *self = mp_obj_malloc(mp_obj_thread_handle_t, type);
    handle_prepare(self);
    return MP_OBJ_FROM_PTR(self);
}

static void handle_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_obj_thread_handle_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<_ThreadHandle object: ident=%u>", (unsigned)self->ident);
}

// join(timeout=None). After a timeout is_done() is False.
static mp_obj_t handle_join(size_t n_args, const mp_obj_t *args) {
    mp_obj_thread_handle_t *self = MP_OBJ_TO_PTR(args[0]);
    deadline_t deadline = n_args == 1 || args[1] == mp_const_none ? DEADLINE_NEVER : lock_deadline(argument_number(args[1]));
    if (self->done) {
        return mp_const_none;
    }
    if (self->ident == HANDLE_NOT_STARTED) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("thread not started"));
    }
    if (self->ident == gil_current->ident) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("Cannot join current thread"));
    }
    handle_wait(self, deadline);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(handle_join_obj, 1, 2, handle_join);

static mp_obj_t handle_is_done(mp_obj_t self_in) {
    mp_obj_thread_handle_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->done);
}
static MP_DEFINE_CONST_FUN_OBJ_1(handle_is_done_obj, handle_is_done);

static void handle_attr(mp_obj_t self_in, qstr attr, mp_obj_t *destination) {
    mp_obj_thread_handle_t *self = MP_OBJ_TO_PTR(self_in);
    if (destination[0] != MP_OBJ_NULL) {
        return; // nothing can be stored
    }
    if (attr == MP_QSTR_ident) {
        destination[0] = mp_obj_new_int_from_uint(self->ident);
    } else if (attr == MP_QSTR_native_id) {
        destination[0] = mp_obj_new_int_from_uint(self->native_id);
    } else {
        destination[1] = MP_OBJ_SENTINEL;
    }
}

static const mp_rom_map_elem_t handle_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_join), MP_ROM_PTR(&handle_join_obj) },
    { MP_ROM_QSTR(MP_QSTR_is_done), MP_ROM_PTR(&handle_is_done_obj) },
};
static MP_DEFINE_CONST_DICT(handle_locals_dict, handle_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    mp_type_thread_handle,
    MP_QSTR__ThreadHandle,
    MP_TYPE_FLAG_NONE,
    make_new, handle_make_new,
    print, handle_print,
    attr, handle_attr,
    locals_dict, &handle_locals_dict
    );

/******************************************************************************/
// start_joinable_thread()

static mp_obj_thread_handle_t *handle_from(mp_obj_t argument) {
    if (argument == mp_const_none) {
        argument = handle_make_new(&mp_type_thread_handle, 0, 0, NULL);
    } else if (!mp_obj_is_type(argument, &mp_type_thread_handle)) {
        mp_raise_TypeError(MP_ERROR_TEXT("'handle' must be a _ThreadHandle"));
    }
    mp_obj_thread_handle_t *handle = MP_OBJ_TO_PTR(argument);
    if (handle->ident != HANDLE_NOT_STARTED) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("thread already started"));
    }
    return handle;
}

static mp_obj_t start_joinable_thread(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    enum { ARG_function, ARG_handle, ARG_daemon };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_function, MP_ARG_OBJ | MP_ARG_REQUIRED, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_handle, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
        { MP_QSTR_daemon, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_TRUE } }, // all threads end with the board's program
    };
    mp_arg_val_t parsed[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, args, kwargs, MP_ARRAY_SIZE(allowed), allowed, parsed);
    mp_obj_t function = parsed[ARG_function].u_obj;
    if (!mp_obj_is_callable(function)) {
        mp_raise_TypeError(MP_ERROR_TEXT("thread function must be callable"));
    }
    mp_obj_thread_handle_t *handle = handle_from(parsed[ARG_handle].u_obj);
    handle_start(handle, function);
    return MP_OBJ_FROM_PTR(handle);
}
MP_DEFINE_CONST_FUN_OBJ_KW(handle_start_joinable_thread_obj, 1, start_joinable_thread);
