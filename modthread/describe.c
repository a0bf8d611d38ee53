// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Descriptions of threads, for people: of all that live now, and of what each did when Ctrl-C came.

#include "py/cstack.h"
#include "py/runtime.h"

#include "describe.h"
#include "gil.h"
#include "notice.h"
#include "scheduler.h"

static qstr status_name(const thread_t *thread) {
    static const qstr names[] = { MP_QSTR_running, MP_QSTR_ready, MP_QSTR_waiting, MP_QSTR_outside };
    return names[thread->status];
}

// Who has taken it, as far as that is known. A handle's thread has taken it until the thread ends.
static mp_obj_t taken_by(const mp_obj_thread_lock_t *lock) {
    return lock->taken_by == LOCK_FREE || lock->taken_by == LOCK_IN_A_LINE
        ? mp_const_none : mp_obj_new_int_from_uint(lock->taken_by);
}

static mp_obj_t describe(thread_t *thread) {
    const char *top = gil_state_of(thread)->stack_top;
    size_t in_use = thread == gil_current ? mp_cstack_usage()
        : thread->stack_pointer == NULL ? 0 : top - (const char *)thread->stack_pointer;
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(thread->ident),
        MP_OBJ_NEW_QSTR(status_name(thread)),
        mp_obj_new_int_from_uint(top - (const char *)thread->stack),
        mp_obj_new_int_from_uint(in_use),
        thread->call == NULL ? mp_const_none : thread->call->function,
        thread->waits_for == NULL ? mp_const_none : line_awaited(thread->waits_for),
        thread->waits_for == NULL ? mp_const_none : taken_by(thread->waits_for),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

mp_obj_t describe_threads(void) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        mp_obj_list_append(list, describe(thread));
    }
    return list;
}

// Nothing gives up the GIL here: all threads have their exception before the first of them is unwound.
static void end_and_note_all(mp_obj_t notes) {
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        mp_obj_t exception = mp_obj_new_exception(&mp_type_SystemExit);
        mp_obj_t note[] = { describe(thread), exception };
        mp_obj_list_append(notes, mp_obj_new_tuple(MP_ARRAY_SIZE(note), note));
        if (thread != &thread_main) {
            scheduler_raise(thread, exception);
        }
    }
}

mp_obj_t describe_interrupt_notes(void) {
    if (MP_STATE_VM(interrupt_notes) == MP_OBJ_NULL) {
        MP_STATE_VM(interrupt_notes) = mp_obj_new_list(0, NULL);
    }
    return MP_STATE_VM(interrupt_notes);
}

void describe_interrupted(void) {
    nlr_buf_t nlr;
    mp_obj_t notes = MP_STATE_VM(interrupt_notes);
    if (notes != MP_OBJ_NULL && nlr_push(&nlr) == 0) { // no memory: then without
        end_and_note_all(notes);
        nlr_pop();
    }
}

void describe_reset(void) {
    MP_STATE_VM(interrupt_notes) = MP_OBJ_NULL;
}

MP_REGISTER_ROOT_POINTER(mp_obj_t interrupt_notes);
