// This file is part of modthread. SPDX-License-Identifier: MIT

#include "modthread/lock.c"

#include "explorer.h"
#include "observe.h"

#define WAITERS_MAX (16)

OBSERVER const char *observe_lock(mp_obj_t object) {
    const mp_obj_thread_lock_t *lock = MP_OBJ_TO_PTR(object);
    if (lines_lost) {
        return NULL;
    }
    if (lock->taken_by == LOCK_FREE) {
        return lock->first != NULL ? "threads wait for a lock that is free" : NULL;
    }
    size_t n = 0;
    const waiter_t *last = NULL;
    for (const waiter_t *waiter = lock->first; waiter != NULL; waiter = waiter->next) {
        if (++n > WAITERS_MAX) {
            return "a lock's line has no end";
        }
        if (waiter->thread->task == NULL || waiter->thread->task->alive != TASK_ALIVE) {
            return "a dead thread waits for a lock";
        }
        if (waiter->thread->waits_for != lock) {
            return "a thread waits for a lock and does not say so";
        }
        if (waiter->owns_lock) {
            return "a thread waits for a lock that it owns";
        }
        last = waiter;
    }
    return last != NULL && lock->last != last ? "a lock's line does not know its last thread" : NULL;
}

OBSERVER uint32_t observe_waiter(mp_obj_t object, size_t n) {
    const waiter_t *waiter = ((mp_obj_thread_lock_t *)MP_OBJ_TO_PTR(object))->first;
    while (waiter != NULL && n-- != 0) {
        waiter = waiter->next;
    }
    return waiter == NULL ? 0 : waiter->thread->ident;
}
