// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The recording of what threads do: rings of events, each of which says all of itself, so that the oldest can go.

#include <string.h>

#include "thread.h"
#include "trace.h"

#if MODTHREAD_TRACE

#include "py/mphal.h"
#include "py/runtime.h"

typedef enum {
    STATE_NEW,
    STATE_RUNNING,
    STATE_READY,
    STATE_LOCK,
    STATE_EVENT,
    STATE_SLEEPING,
    STATE_OUTSIDE,
    STATE_FINISHED,
    STATE_TASK, // not of a thread: a processor core goes on with another task
} state_t;

typedef struct _event_t {
    uint32_t us;
    uint32_t ident;
    const void *subject; // the lock that the thread waits for, or the name of a task that is no thread's
    uint16_t name; // a qstr
    uint8_t state_before; // a state_t: the event before may be gone; or the core of a task
    uint8_t state;
} event_t;

typedef struct _ring_t {
    event_t *events;
    uint32_t size;
    uint32_t first;
    uint32_t used;
} ring_t;

static event_t thread_events[MODTHREAD_TRACE_EVENTS];
static event_t task_events[MODTHREAD_TRACE_EVENTS];
static ring_t threads = { .events = thread_events, .size = MP_ARRAY_SIZE(thread_events) };
static ring_t tasks = { .events = task_events, .size = MP_ARRAY_SIZE(task_events) };
static volatile bool ended;

static void put(ring_t *ring, const event_t *event) {
    ring->events[(ring->first + ring->used) % ring->size] = *event;
    if (ring->used < ring->size) {
        ring->used++;
    } else {
        ring->first = (ring->first + 1) % ring->size;
    }
}

// The oldest event, or NULL.
static const event_t *take(ring_t *ring) {
    if (ring->used == 0) {
        return NULL;
    }
    const event_t *event = &ring->events[ring->first];
    ring->first = (ring->first + 1) % ring->size;
    ring->used--;
    return event;
}

static state_t recorded_state(const thread_t *thread) {
    switch (thread->status) {
        case THREAD_RUNNING:
            return STATE_RUNNING;
        case THREAD_READY:
            return STATE_READY;
        case THREAD_WAITING:
            return thread->trace.lock != NULL ? STATE_LOCK : thread->awaits_event ? STATE_EVENT : STATE_SLEEPING;
        case THREAD_OUTSIDE:
            return STATE_OUTSIDE;
        default:
            return STATE_FINISHED;
    }
}

void trace_status(thread_t *thread) {
    if (ended) {
        return;
    }
    state_t state = recorded_state(thread);
    event_t event = {
        .us = mp_hal_ticks_us(),
        .ident = thread->ident,
        .subject = state == STATE_LOCK ? thread->trace.lock : NULL,
        .name = thread->trace.name,
        .state_before = thread->trace.state,
        .state = state,
    };
    thread->trace.state = state;
    put(&threads, &event);
}

// The kernel lets no two cores do this at the same time.
void trace_task_switched_in(void) {
    static TaskHandle_t last[KERNEL_CORES];
    uint8_t core = kernel_current_core();
    TaskHandle_t task = kernel_current_task();
    if (ended || task == last[core]) {
        return;
    }
    last[core] = task;
    const char *name = kernel_task_name(task);
    if (strcmp(name, KERNEL_TASK_NAME) == 0) {
        name = KERNEL_TASK_NAME; // the task's own goes with it
    }
    event_t event = {
        .us = mp_hal_ticks_us(),
        .ident = mp_thread_ident_of_task(task),
        .subject = name,
        .state_before = core,
        .state = STATE_TASK,
    };
    put(&tasks, &event);
}

// The second word of a closure or a bound method is the function that it calls (py/objclosure.c, py/objboundmeth.c).
void trace_name(thread_t *thread, mp_obj_t function) {
    const mp_obj_type_t *type = mp_obj_get_type(function);
    while (type->name == MP_QSTR_closure || type == &mp_type_bound_meth) {
        function = ((mp_obj_t *)MP_OBJ_TO_PTR(function))[1];
        type = mp_obj_get_type(function);
    }
    thread->trace.state = STATE_NEW;
    thread->trace.name = type == &mp_type_fun_bc ? mp_obj_fun_get_name(function) : type->name;
}

void trace_clear(void) {
    threads.used = 0;
    tasks.used = 0;
    ended = false;
}

static void end(void) {
    uint32_t state = kernel_lock();
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        trace_status(thread);
    }
    ended = true;
    kernel_unlock(state);
}

static mp_obj_t describe(const event_t *event) {
    static const qstr names[] = {
        MP_QSTR_new, MP_QSTR_running, MP_QSTR_ready, MP_QSTR_lock, MP_QSTR_event, MP_QSTR_sleeping, MP_QSTR_outside,
        MP_QSTR_finished, MP_QSTR_task,
    };
    bool task = event->state == STATE_TASK;
    const char *task_name = event->subject;
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(event->us),
        mp_obj_new_int_from_uint(event->ident),
        task ? mp_obj_new_str(task_name, strlen(task_name)) : MP_OBJ_NEW_QSTR(event->name),
        MP_OBJ_NEW_QSTR(names[task ? STATE_NEW : event->state_before]),
        MP_OBJ_NEW_QSTR(names[event->state]),
        mp_obj_new_int_from_uint(task ? event->state_before : (uintptr_t)event->subject),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}

mp_obj_t trace_take(void) {
    if (!ended) {
        end();
    }
    const event_t *event = take(&threads);
    if (event == NULL) {
        event = take(&tasks);
    }
    return event == NULL ? mp_const_none : describe(event);
}

#endif // MODTHREAD_TRACE
