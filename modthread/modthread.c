// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The module _thread; takes the place of py/modthread.c. Arguments are checked here, before anything is created.

#include <string.h>

#include "py/builtin.h"
#include "py/mphal.h"
#include "py/objstr.h"
#include "py/runtime.h"

#include "arguments.h"
#include "condition.h"
#include "console.h"
#include "describe.h"
#include "event.h"
#include "future.h"
#include "gil.h"
#include "handle.h"
#include "local.h"
#include "lock.h"
#include "micropython_releases.h"
#include "queue.h"
#include "rlock.h"
#include "semaphores.h"
#include "threading.h"

#ifndef MODTHREAD_VERSION
#define MODTHREAD_VERSION "unknown"
#endif

/******************************************************************************/
// start_new_thread(function, args[, kwargs], *, core_id=None)

static void check_arguments(mp_obj_t function, mp_obj_t positional, mp_obj_t keywords) {
    if (!mp_obj_is_callable(function)) {
        mp_raise_TypeError(MP_ERROR_TEXT("first arg must be callable"));
    }
    if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(positional)), MP_OBJ_FROM_PTR(&mp_type_tuple))) {
        mp_raise_TypeError(MP_ERROR_TEXT("2nd arg must be a tuple"));
    }
    if (keywords != MP_OBJ_NULL && !mp_obj_is_dict_or_ordereddict(keywords)) {
        mp_raise_TypeError(MP_ERROR_TEXT("optional 3rd arg must be a dictionary"));
    }
}

static void copy_keywords(mp_obj_t *destination, const mp_map_t *keywords) {
    for (size_t i = 0; i < keywords->alloc; i++) {
        if (mp_map_slot_is_filled(keywords, i)) {
            if (!mp_obj_is_str(keywords->table[i].key)) {
                mp_raise_TypeError(MP_ERROR_TEXT("keywords must be strings"));
            }
            *destination++ = MP_OBJ_NEW_QSTR(mp_obj_str_get_qstr(keywords->table[i].key));
            *destination++ = keywords->table[i].value;
        }
    }
}

static int core_from(mp_map_t *keywords) {
    mp_arg_val_t core = { .u_obj = mp_const_none };
    if (keywords->used != 0) {
        static const mp_arg_t allowed[] = {
            { MP_QSTR_core_id, MP_ARG_OBJ | MP_ARG_KW_ONLY, { .u_rom_obj = MP_ROM_NONE } },
        };
        mp_arg_parse_all(0, NULL, keywords, MP_ARRAY_SIZE(allowed), allowed, &core);
    }
    if (core.u_obj == mp_const_none) {
        return MODTHREAD_CORE_DEFAULT;
    }
    mp_int_t number = mp_obj_get_int(argument_number(core.u_obj));
    if (number != KERNEL_ANY_CORE && (number < 0 || number >= KERNEL_CORES)) {
        mp_raise_ValueError(MP_ERROR_TEXT("no such core"));
    }
    return number;
}

static mp_obj_t mod_thread_start_new_thread(size_t n_args, const mp_obj_t *args, mp_map_t *own_keywords) {
    mp_arg_check_num(n_args, 0, 2, 3, false);
    mp_obj_t tuple = argument_native(args[1], &mp_type_tuple);
    mp_obj_t dict = n_args == 3 ? argument_native(args[2], &mp_type_dict) : MP_OBJ_NULL;
    check_arguments(args[0], tuple, dict);
    int core = core_from(own_keywords);
    size_t n_positional;
    mp_obj_t *positional;
    mp_obj_get_array(tuple, &n_positional, &positional);
    const mp_map_t *keywords = dict != MP_OBJ_NULL ? &((mp_obj_dict_t *)MP_OBJ_TO_PTR(dict))->map : NULL;
    size_t n_keywords = keywords == NULL ? 0 : keywords->used;
    if (MAX(n_positional, n_keywords) > UINT16_MAX) {
        mp_raise_TypeError(MP_ERROR_TEXT("too many arguments"));
    }

    thread_call_t *call = m_new_obj_var(thread_call_t, args, mp_obj_t, n_positional + 2 * n_keywords);
    call->function = args[0];
    call->handle = MP_OBJ_NULL;
    call->n_args = n_positional;
    call->n_kw = n_keywords;
    memcpy(call->args, positional, n_positional * sizeof(mp_obj_t));
    if (keywords != NULL) {
        copy_keywords(call->args + n_positional, keywords);
    }
    return mp_obj_new_int_from_uint(thread_start(call, core));
}
static MP_DEFINE_CONST_FUN_OBJ_KW(mod_thread_start_new_thread_obj, 2, mod_thread_start_new_thread);

/******************************************************************************/
// The other functions

static mp_obj_t mod_thread_exit(void) {
    mp_raise_type(&mp_type_SystemExit);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_exit_obj, mod_thread_exit);

// machine.soft_reset(). The caller ends, and the main program as soon as it can.
static mp_obj_t soft_reset(size_t n_args, const mp_obj_t *args) {
    if (gil_current != &thread_main) {
        mp_sched_exception(mp_obj_new_exception(&mp_type_SystemExit));
    }
    return mp_call_function_n_kw(MP_OBJ_FROM_PTR(&mp_sys_exit_obj), n_args, 0, args);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mp_thread_soft_reset_obj, 0, 1, soft_reset);

static mp_obj_t mod_thread_get_ident(void) {
    return mp_obj_new_int_from_uint(gil_current->ident);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_get_ident_obj, mod_thread_get_ident);

// Returns the size in force until now; without an argument the default is in force from now on.
static mp_obj_t mod_thread_stack_size(size_t n_args, const mp_obj_t *args) {
    mp_int_t size = n_args == 0 ? 0 : mp_obj_get_int(argument_number(args[0]));
    if (size != 0 && size < MODTHREAD_STACK_SIZE_MIN) {
        mp_raise_ValueError(MP_ERROR_TEXT("stack size must be 0 or at least 4096"));
    }
    mp_obj_t before = mp_obj_new_int_from_uint(thread_stack_size);
    thread_stack_size = size;
    return before;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_thread_stack_size_obj, 0, 1, mod_thread_stack_size);

static mp_obj_t mod_thread_getswitchinterval(void) {
    return mp_obj_new_float(gil_switch_interval_us / MICROPY_FLOAT_CONST(1000000.0));
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_getswitchinterval_obj, mod_thread_getswitchinterval);

static mp_obj_t mod_thread_setswitchinterval(mp_obj_t interval) {
    mp_float_t seconds = mp_obj_get_float(argument_number(interval));
    if (!(seconds > 0 && seconds <= GIL_SWITCH_INTERVAL_MAX_S)) { // a NaN neither
        mp_raise_ValueError(MP_ERROR_TEXT("switch interval must be above 0 and at most 1000"));
    }
    gil_switch_interval_us = MAX((uint32_t)(seconds * 1000000), 1);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_thread_setswitchinterval_obj, mod_thread_setswitchinterval);

static mp_obj_t mod_thread_allocate_lock(void) {
    return lock_new();
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_allocate_lock_obj, mod_thread_allocate_lock);

// The kernel's handle of the task, by which a debugger knows it.
static mp_obj_t mod_thread_get_native_id(void) {
    return mp_obj_new_int_from_uint((uintptr_t)gil_current->task);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_get_native_id_obj, mod_thread_get_native_id);

// How many threads live beside the main one.
static mp_obj_t mod_thread_count(void) {
    size_t count = 0;
    for (thread_t *thread = thread_list; thread != &thread_main; thread = thread->next) {
        ++count;
    }
    return MP_OBJ_NEW_SMALL_INT(count);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_count_obj, mod_thread_count);

// interrupt_main(signum=SIGINT). No other signal has a handler here, and then CPython does nothing either.
static mp_obj_t mod_thread_interrupt_main(size_t n_args, const mp_obj_t *args) {
    enum { SIGNAL_INTERRUPT = 2, SIGNALS = 65 }; // as on Linux
    mp_int_t number = n_args == 0 ? SIGNAL_INTERRUPT : mp_obj_get_int(argument_number(args[0]));
    if (number < 1 || number >= SIGNALS) {
        mp_raise_ValueError(MP_ERROR_TEXT("signal number out of range"));
    }
    if (number == SIGNAL_INTERRUPT) {
        // Not Ctrl-C's own exception: nobody holds a key, and the harness notes nothing.
        mp_sched_exception(mp_obj_new_exception(&mp_type_KeyboardInterrupt));
        mp_handle_pending(MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS); // the main thread itself raises it at once
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mod_thread_interrupt_main_obj, 0, 1, mod_thread_interrupt_main);

// _excepthook(args): tell of the exception that has ended a thread of threading. `args` is its ExceptHookArgs.
static mp_obj_t mod_thread_excepthook(mp_obj_t args) {
    if (mp_load_attr(args, MP_QSTR_exc_type) == MP_OBJ_FROM_PTR(&mp_type_SystemExit)) {
        return mp_const_none;
    }
    mp_obj_t thread = mp_load_attr(args, MP_QSTR_thread);
    mp_obj_t name = thread == mp_const_none ? mod_thread_get_ident() : mp_load_attr(thread, MP_QSTR_name);
    mp_printf(MICROPY_ERROR_PRINTER, "Exception in thread ");
    mp_obj_print_helper(MICROPY_ERROR_PRINTER, name, PRINT_STR);
    mp_printf(MICROPY_ERROR_PRINTER, ":\n");
    mp_obj_print_exception(MICROPY_ERROR_PRINTER, mp_load_attr(args, MP_QSTR_exc_value));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mod_thread_excepthook_obj, mod_thread_excepthook);

static mp_obj_t mod_thread_threads(void) {
    return describe_threads();
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_threads_obj, mod_thread_threads);

// _notify(): whoever waits in select.poll(), as asyncio's loop does, looks again at once at what it waits for.
static mp_obj_t mod_thread_notify(void) {
    mp_thread_notify();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_notify_obj, mod_thread_notify);

static mp_obj_t mod_thread_interrupt_notes(void) {
    return describe_interrupt_notes();
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_interrupt_notes_obj, mod_thread_interrupt_notes);

// _quote_output(): for a harness, see console_quote(). True, where other threads' output waits for the raw REPL.
static mp_obj_t mod_thread_quote_output(void) {
    console_quote();
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_quote_output_obj, mod_thread_quote_output);

#if MODTHREAD_TRACE
static mp_obj_t mod_thread_trace(void) {
    return trace_take();
}
static MP_DEFINE_CONST_FUN_OBJ_0(mod_thread_trace_obj, mod_thread_trace);
#endif

static MP_DEFINE_STR_OBJ(version_obj, MODTHREAD_VERSION TRACE_VERSION);
static MP_DEFINE_STR_OBJ(kernel_obj, KERNEL_NAME);

static const mp_rom_map_elem_t mod_thread_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__thread) },
    { MP_ROM_QSTR(MP_QSTR___version__), MP_ROM_PTR(&version_obj) },
    { MP_ROM_QSTR(MP_QSTR_start_new_thread), MP_ROM_PTR(&mod_thread_start_new_thread_obj) },
    { MP_ROM_QSTR(MP_QSTR_start_joinable_thread), MP_ROM_PTR(&handle_start_joinable_thread_obj) },
    { MP_ROM_QSTR(MP_QSTR__ThreadHandle), MP_ROM_PTR(&mp_type_thread_handle) },
    { MP_ROM_QSTR(MP_QSTR_start_new), MP_ROM_PTR(&mod_thread_start_new_thread_obj) },
    { MP_ROM_QSTR(MP_QSTR_exit), MP_ROM_PTR(&mod_thread_exit_obj) },
    { MP_ROM_QSTR(MP_QSTR_exit_thread), MP_ROM_PTR(&mod_thread_exit_obj) },
    { MP_ROM_QSTR(MP_QSTR_interrupt_main), MP_ROM_PTR(&mod_thread_interrupt_main_obj) },
    { MP_ROM_QSTR(MP_QSTR_get_ident), MP_ROM_PTR(&mod_thread_get_ident_obj) },
    { MP_ROM_QSTR(MP_QSTR_get_native_id), MP_ROM_PTR(&mod_thread_get_native_id_obj) },
    { MP_ROM_QSTR(MP_QSTR__count), MP_ROM_PTR(&mod_thread_count_obj) },
    { MP_ROM_QSTR(MP_QSTR_stack_size), MP_ROM_PTR(&mod_thread_stack_size_obj) },
    { MP_ROM_QSTR(MP_QSTR_getswitchinterval), MP_ROM_PTR(&mod_thread_getswitchinterval_obj) },
    { MP_ROM_QSTR(MP_QSTR_setswitchinterval), MP_ROM_PTR(&mod_thread_setswitchinterval_obj) },
    { MP_ROM_QSTR(MP_QSTR_allocate_lock), MP_ROM_PTR(&mod_thread_allocate_lock_obj) },
    { MP_ROM_QSTR(MP_QSTR_allocate), MP_ROM_PTR(&mod_thread_allocate_lock_obj) },
    { MP_ROM_QSTR(MP_QSTR_Lock), MP_ROM_PTR(&mp_type_thread_lock) },
    { MP_ROM_QSTR(MP_QSTR_LockType), MP_ROM_PTR(&mp_type_thread_lock) },
    { MP_ROM_QSTR(MP_QSTR_RLock), MP_ROM_PTR(&mp_type_thread_rlock) },
    { MP_ROM_QSTR(MP_QSTR__Condition), MP_ROM_PTR(&mp_type_thread_condition) },
    { MP_ROM_QSTR(MP_QSTR__notify), MP_ROM_PTR(&mod_thread_notify_obj) },
    { MP_ROM_QSTR(MP_QSTR__thread_class), MP_ROM_PTR(&threading_class_obj) },
    { MP_ROM_QSTR(MP_QSTR__counter), MP_ROM_PTR(&threading_counter_obj) },
    { MP_ROM_QSTR(MP_QSTR__current_thread), MP_ROM_PTR(&threading_current_thread_obj) },
    { MP_ROM_QSTR(MP_QSTR__main_thread), MP_ROM_PTR(&threading_main_thread_obj) },
    { MP_ROM_QSTR(MP_QSTR__enumerate), MP_ROM_PTR(&threading_enumerate_obj) },
    { MP_ROM_QSTR(MP_QSTR__future_class), MP_ROM_PTR(&future_class_obj) },
    { MP_ROM_QSTR(MP_QSTR__submit), MP_ROM_PTR(&future_submit_obj) },
    { MP_ROM_QSTR(MP_QSTR__Event), MP_ROM_PTR(&mp_type_thread_event) },
    { MP_ROM_QSTR(MP_QSTR__Semaphore), MP_ROM_PTR(&mp_type_thread_semaphore) },
    { MP_ROM_QSTR(MP_QSTR__BoundedSemaphore), MP_ROM_PTR(&mp_type_thread_bounded_semaphore) },
    { MP_ROM_QSTR(MP_QSTR__local), MP_ROM_PTR(&mp_type_thread_local) },
    { MP_ROM_QSTR(MP_QSTR__Queue), MP_ROM_PTR(&mp_type_thread_queue) },
    { MP_ROM_QSTR(MP_QSTR__Empty), MP_ROM_PTR(&mp_type_Empty) },
    { MP_ROM_QSTR(MP_QSTR__Full), MP_ROM_PTR(&mp_type_Full) },
    { MP_ROM_QSTR(MP_QSTR__ShutDown), MP_ROM_PTR(&mp_type_ShutDown) },
    { MP_ROM_QSTR(MP_QSTR_TIMEOUT_MAX), MP_ROM_INT(DEADLINE_SECONDS_MAX) },
    { MP_ROM_QSTR(MP_QSTR_error), MP_ROM_PTR(&mp_type_RuntimeError) },
    { MP_ROM_QSTR(MP_QSTR__excepthook), MP_ROM_PTR(&mod_thread_excepthook_obj) },
    { MP_ROM_QSTR(MP_QSTR__threads), MP_ROM_PTR(&mod_thread_threads_obj) },
    { MP_ROM_QSTR(MP_QSTR__interrupt_notes), MP_ROM_PTR(&mod_thread_interrupt_notes_obj) },
    { MP_ROM_QSTR(MP_QSTR__quote_output), MP_ROM_PTR(&mod_thread_quote_output_obj) },
    { MP_ROM_QSTR(MP_QSTR__kernel), MP_ROM_PTR(&kernel_obj) },
    #if MODTHREAD_TRACE
    { MP_ROM_QSTR(MP_QSTR__trace), MP_ROM_PTR(&mod_thread_trace_obj) },
    #endif
};
static MP_DEFINE_CONST_DICT(mod_thread_globals, mod_thread_globals_table);

const mp_obj_module_t mp_module_thread = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mod_thread_globals,
};

MP_REGISTER_MODULE(MP_QSTR__thread, mp_module_thread);
