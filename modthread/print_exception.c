// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Takes the place of the function of that name in py/obj.c, which keeps it under another name (micropython.mk): printing
// an exception that nobody has caught raises nothing. Those who print have no frame of their own any more
// (py/runtime_utils.c, shared/runtime/mpirq.c, shared/runtime/pyexec.c), or the scheduler locked (py/gc.c).

#include "py/runtime.h"

#include "scheduler.h"

void mp_obj_print_exception_may_raise(const mp_print_t *print, mp_obj_t exception);

// Returns what printing has raised, or MP_OBJ_NULL.
static mp_obj_t try_to_print(const mp_print_t *print, mp_obj_t exception) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return MP_OBJ_FROM_PTR(nlr.ret_val);
    }
    mp_obj_print_exception_may_raise(print, exception);
    nlr_pop();
    return MP_OBJ_NULL;
}

static bool is_keyboard_interrupt(mp_obj_t exception) {
    #if MICROPY_KBD_EXCEPTION
    return exception == MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_kbd_exception));
    #else
    return false;
    #endif
}

void mp_obj_print_exception(const mp_print_t *print, mp_obj_t exception) {
    mp_obj_t raised = try_to_print(print, exception);
    if (raised != MP_OBJ_NULL && !is_keyboard_interrupt(raised)) {
        raised = try_to_print(print, raised); // as of a __repr__(); what this raises nobody learns
    }
    if (is_keyboard_interrupt(raised)) {
        mp_sched_exception(raised); // it was meant for the main program, which goes on
    }
}
