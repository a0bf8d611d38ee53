// This file is part of modthread. SPDX-License-Identifier: MIT

#include <string.h>

#include "py/runtime.h"

#include "event_loop.h"
#include "gil.h"

// Takes the place of a function of asyncio.core that runs the loop.
typedef struct _guarded_t {
    mp_obj_base_t base;
    mp_obj_t function;
} guarded_t;

static const thread_t *looping; // the thread whose loop runs, or NULL

static void loop_ended(void *ends) {
    (void)ends;
    looping = NULL;
}

static mp_obj_t guarded_call(mp_obj_t self, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_obj_t function = ((guarded_t *)MP_OBJ_TO_PTR(self))->function;
    if (looping == gil_current) { // one function calls another
        return mp_call_function_n_kw(function, n_args, n_kw, args);
    }
    if (looping != NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("asyncio runs in another thread"));
    }
    looping = gil_current;
    nlr_jump_callback_node_t ends;
    nlr_push_jump_callback(&ends, loop_ended);
    mp_obj_t result = mp_call_function_n_kw(function, n_args, n_kw, args);
    nlr_pop_jump_callback(true);
    return result;
}

static MP_DEFINE_CONST_OBJ_TYPE(
    guarded_type,
    MP_QSTR_function,
    MP_TYPE_FLAG_NONE,
    call, guarded_call
    );

static void guard(mp_obj_t owner, qstr name) {
    mp_obj_t method[2];
    mp_load_method_maybe(owner, name, method);
    if (method[0] != MP_OBJ_NULL) {
        guarded_t *guarded = mp_obj_malloc(guarded_t, &guarded_type);
        guarded->function = method[0];
        mp_store_attr(owner, name, MP_OBJ_FROM_PTR(guarded));
    }
}

void event_loop_guard(qstr module) {
    if (module == MP_QSTRnull || strcmp(qstr_str(module), "asyncio.core") != 0) {
        return;
    }
    mp_map_t *modules = &MP_STATE_VM(mp_loaded_modules_dict).map;
    mp_obj_t core = mp_map_lookup(modules, MP_OBJ_NEW_QSTR(module), MP_MAP_LOOKUP)->value;
    mp_obj_t loop = mp_load_attr(core, MP_QSTR_Loop);
    guard(core, MP_QSTR_run);
    guard(core, MP_QSTR_run_until_complete);
    guard(loop, MP_QSTR_run_until_complete);
    guard(loop, MP_QSTR_run_forever);
}

void event_loop_reset(void) {
    looping = NULL;
}
