// This file is part of modthread. SPDX-License-Identifier: MIT
//
// A thread that waits to be notified has a lock of its own, on its stack and in a line; to notify it is to release that lock.
//
// The GIL keeps threads apart. A hard interrupt handler may notify between any two steps of the thread that it interrupts, so
// the line changes in critical sections. Whoever waits cannot leave before the handler ends.

#include "py/runtime.h"

#include "arguments.h"
#include "kernel.h"
#include "notice.h"

typedef struct _notice_t {
    mp_obj_thread_lock_t lock; // locked until it is notified; of no type
    mp_obj_t of; // the object that the line belongs to
    struct _notice_t *next;
} notice_t;

static void line_append(line_t *line, notice_t *notice) {
    notice->lock.base.type = NULL;
    lock_prepare(&notice->lock, LOCK_IN_A_LINE);
    notice->next = NULL;
    uint32_t state = kernel_lock();
    if (line->first == NULL) {
        line->first = notice;
    } else {
        line->last->next = notice;
    }
    line->last = notice;
    kernel_unlock(state);
}

// Take out the first, or NULL.
static notice_t *line_take(line_t *line) {
    uint32_t state = kernel_lock();
    notice_t *notice = line->first;
    if (notice != NULL) {
        line->first = notice->next;
    }
    kernel_unlock(state);
    return notice;
}

// Take it out. Returns false if it is not there: it has been notified.
static bool line_remove(line_t *line, const notice_t *notice) {
    uint32_t state = kernel_lock();
    notice_t *before = NULL;
    notice_t *n = line->first;
    while (n != NULL && n != notice) {
        before = n;
        n = n->next;
    }
    if (n != NULL) {
        *(before == NULL ? &line->first : &before->next) = n->next;
        if (line->last == n) {
            line->last = before;
        }
    }
    kernel_unlock(state);
    return n != NULL;
}

MP_NOINLINE mp_obj_t line_try_lock(mp_obj_thread_lock_t *lock, deadline_t deadline) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return MP_OBJ_FROM_PTR(nlr.ret_val);
    }
    lock_take(lock, true, deadline);
    nlr_pop();
    return MP_OBJ_NULL;
}

bool line_wait(mp_obj_t of, line_t *line, const volatile bool *over, deadline_t deadline, mp_obj_t *exception) {
    notice_t notice;
    notice.of = of;
    line_append(line, &notice);
    *exception = over != NULL && *over ? MP_OBJ_NULL : line_try_lock(&notice.lock, deadline);
    return !line_remove(line, &notice) || (over != NULL && *over);
}

void line_wait_or_pass_on(mp_obj_t of, line_t *line, deadline_t deadline) {
    lock_check_may_wait();
    mp_obj_t exception;
    bool notified = line_wait(of, line, NULL, deadline, &exception);
    if (exception != MP_OBJ_NULL) {
        line_notify(line, notified);
        nlr_raise(exception);
    }
}

void line_notify(line_t *line, mp_uint_t count) {
    if (lock_lines_lost()) { // a finaliser in a soft reset: the stacks are gone
        line->first = NULL;
    }
    notice_t *notice;
    while (count-- > 0 && (notice = line_take(line)) != NULL) {
        lock_give(&notice->lock);
    }
}

mp_obj_t line_awaited(const mp_obj_thread_lock_t *lock) {
    return lock->base.type == NULL ? ((const notice_t *)lock)->of : MP_OBJ_FROM_PTR(lock);
}

size_t line_length(const line_t *line) {
    size_t length = 0;
    for (const notice_t *notice = line->first; notice != NULL; notice = notice->next) {
        length++;
    }
    return length;
}

mp_obj_t line_timeout(size_t n_args, const mp_obj_t *args, mp_map_t *keywords) {
    static const mp_arg_t allowed[] = {
        { MP_QSTR_timeout, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t timeout;
    mp_arg_parse_all(n_args - 1, args + 1, keywords, MP_ARRAY_SIZE(allowed), allowed, &timeout);
    return timeout.u_obj;
}

deadline_t line_deadline(mp_obj_t timeout) {
    if (timeout == mp_const_none) {
        return DEADLINE_NEVER;
    }
    deadline_t deadline = lock_deadline(argument_number(timeout));
    return deadline == DEADLINE_NEVER ? 0 : deadline;
}
