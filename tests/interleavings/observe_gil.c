// This file is part of modthread. SPDX-License-Identifier: MIT

#include "modthread/gil.c"

#include "explorer.h"
#include "observe.h"

#define QUEUE_MAX (16)

OBSERVER static bool is_alive(const thread_t *thread) {
    return thread->task != NULL && thread->task->alive == TASK_ALIVE;
}

// Between the end of its task and the end of its record a thread may be in a queue: the main thread, which does both, owns
// the GIL, and nobody takes another one out of a queue.
OBSERVER static bool is_cleared(const thread_t *thread) {
    return thread->task == NULL;
}

OBSERVER static const char *observe_queue(const queue_t *queue, bool woken) {
    size_t n = 0;
    const thread_t *last = NULL;
    for (const thread_t *thread = queue->first; thread != NULL; thread = thread->next_ready) {
        if (++n > QUEUE_MAX) {
            return "a queue of the GIL has no end";
        }
        if (is_cleared(thread)) {
            return "a queue of the GIL holds a dead thread";
        }
        if (thread->status != THREAD_READY || thread->woken != woken) {
            return "a queue of the GIL holds a thread that does not belong there";
        }
        last = thread;
    }
    return last != NULL && queue->last != last ? "a queue of the GIL does not know its last thread" : NULL;
}

OBSERVER const char *observe_gil(void) {
    const char *wrong = observe_queue(&gil.woken, true);
    if (wrong == NULL) {
        wrong = observe_queue(&gil.computing, false);
    }
    if (wrong != NULL) {
        return wrong;
    }
    const thread_t *owner = gil.owner;
    if (owner == NULL) {
        return gil.woken.first != NULL || gil.computing.first != NULL ? "threads want the GIL, and nobody owns it" : NULL;
    }
    if (!is_alive(owner)) {
        return "a dead thread owns the GIL";
    }
    if (owner->status != THREAD_RUNNING) {
        return "the GIL's owner does not run";
    }
    if (owner->task->state == TASK_BLOCKED) {
        return "the GIL's owner has not been given its semaphore";
    }
    for (const thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        if (thread != owner && thread->status == THREAD_RUNNING) {
            return "two threads run";
        }
    }
    return NULL;
}

OBSERVER const char *observe_gil_at_the_end(void) {
    return gil.owner != &thread_main || gil.woken.first != NULL || gil.computing.first != NULL
           || gil_current != &thread_main ? "the main thread is not alone with the GIL in the end" : observe_gil();
}

OBSERVER bool observe_task_owns_gil(const StaticTask_t *task) {
    const char *top = mp_state_ctx.thread.stack_top;
    return gil.owner != NULL && gil.owner == gil_current && gil.owner->task == task
           && top > (char *)task->stack && top <= (char *)task->stack + task->stack_size;
}
