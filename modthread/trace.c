// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The recording of what threads do: a ring of events, each of which says all of itself, so that the oldest can go.

#include "thread.h"
#include "trace.h"

#if MODTHREAD_TRACE

#include "py/mphal.h"
#include "py/runtime.h"

typedef enum {
    TRACE_NEW,
    TRACE_RUNNING,
    TRACE_READY,
    TRACE_LOCK,
    TRACE_EVENT,
    TRACE_SLEEPING,
    TRACE_OUTSIDE,
    TRACE_FINISHED,
} trace_state_t;

typedef struct _trace_event_t {
    uint32_t us;
    uint32_t ident;
    const void *lock;
    uint16_t name; // a qstr: in MicroPython they have 16 bits wherever they are stored
    uint8_t before; // a trace_state_t, for who does not have the event before
    uint8_t state;
} trace_event_t;

static struct {
    trace_event_t events[MODTHREAD_TRACE_EVENTS];
    uint32_t first;
    uint32_t used;
    bool ended;
} ring;

static trace_state_t state_of(const thread_t *thread) {
    switch (thread->status) {
        case THREAD_RUNNING:
            return TRACE_RUNNING;
        case THREAD_READY:
            return TRACE_READY;
        case THREAD_WAITING:
            return thread->trace.lock != NULL ? TRACE_LOCK : thread->awaits_event ? TRACE_EVENT : TRACE_SLEEPING;
        case THREAD_OUTSIDE:
            return TRACE_OUTSIDE;
        default:
            return TRACE_FINISHED;
    }
}

void trace_status(thread_t *thread) {
    if (ring.ended) {
        return;
    }
    trace_state_t state = state_of(thread);
    trace_event_t event = {
        .us = mp_hal_ticks_us(),
        .ident = thread->ident,
        .lock = state == TRACE_LOCK ? thread->trace.lock : NULL,
        .name = thread->trace.name,
        .before = thread->trace.state,
        .state = state,
    };
    thread->trace.state = state;
    ring.events[(ring.first + ring.used) % MODTHREAD_TRACE_EVENTS] = event;
    if (ring.used < MODTHREAD_TRACE_EVENTS) {
        ring.used++;
    } else {
        ring.first = (ring.first + 1) % MODTHREAD_TRACE_EVENTS;
    }
}

// The second word of a closure or a bound method is the function that it calls (py/objclosure.c, py/objboundmeth.c).
void trace_name(thread_t *thread, mp_obj_t function) {
    const mp_obj_type_t *type = mp_obj_get_type(function);
    while (type->name == MP_QSTR_closure || type == &mp_type_bound_meth) {
        function = ((mp_obj_t *)MP_OBJ_TO_PTR(function))[1];
        type = mp_obj_get_type(function);
    }
    thread->trace.state = TRACE_NEW;
    thread->trace.name = type == &mp_type_fun_bc ? mp_obj_fun_get_name(function) : type->name;
}

void trace_clear(void) {
    ring.used = 0;
    ring.ended = false;
}

static void end(void) {
    uint32_t state = kernel_lock();
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        trace_status(thread);
    }
    ring.ended = true;
    kernel_unlock(state);
}

mp_obj_t trace_take(void) {
    static const qstr names[] = {
        MP_QSTR_new, MP_QSTR_running, MP_QSTR_ready, MP_QSTR_lock, MP_QSTR_event, MP_QSTR_sleeping, MP_QSTR_outside, MP_QSTR_finished,
    };
    if (!ring.ended) {
        end();
    }
    if (ring.used == 0) {
        return mp_const_none;
    }
    const trace_event_t *event = &ring.events[ring.first];
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(event->us),
        mp_obj_new_int_from_uint(event->ident),
        MP_OBJ_NEW_QSTR(event->name),
        MP_OBJ_NEW_QSTR(names[event->before]),
        MP_OBJ_NEW_QSTR(names[event->state]),
        mp_obj_new_int_from_uint((uintptr_t)event->lock),
    };
    ring.first = (ring.first + 1) % MODTHREAD_TRACE_EVENTS;
    ring.used--;
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

#endif // MODTHREAD_TRACE
