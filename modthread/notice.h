// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Threads that wait until they are notified: those of a condition, an event, a semaphore, a queue.

#ifndef MODTHREAD_NOTICE_H
#define MODTHREAD_NOTICE_H

#include "lock.h"

struct _notice_t;

// Who waits, first come, first served. All zero, nobody waits.
typedef struct _line_t {
    struct _notice_t *first;
    struct _notice_t *last;
} line_t;

// Wait in the line of an object until notified, until the deadline, or until `over`, which may be NULL: whoever sets it
// notifies all. Returns whether it was notified, or it is over; what has ended the wait otherwise, or after that, is in
// `exception`, MP_OBJ_NULL if nothing has. Needs the GIL, and gives it up meanwhile. Raises nothing: the caller may have
// something to take back, and has called lock_check_may_wait() before.
bool line_wait(mp_obj_t of, line_t *line, const volatile bool *over, deadline_t deadline, mp_obj_t *exception);

// Wait as line_wait() does, and raise the exception; then a notice that came, too, goes to the next in line. Raises
// RuntimeError where nothing may wait.
void line_wait_or_pass_on(mp_obj_t of, line_t *line, deadline_t deadline);

// Let so many go on, or all. Needs the GIL; a hard interrupt handler may call it, too. Never blocks.
void line_notify(line_t *line, mp_uint_t count);
#define LINE_ALL ((mp_uint_t)-1)

// What a thread that waits for that lock waits for: the lock, or the object in whose line it is. Needs the GIL.
mp_obj_t line_awaited(const mp_obj_thread_lock_t *lock);

// How many wait. Needs the GIL; never blocks.
size_t line_length(const line_t *line);

// Wait for a lock; returns the exception that has ended the wait, or MP_OBJ_NULL. Needs the GIL, and gives it up meanwhile.
mp_obj_t line_try_lock(mp_obj_thread_lock_t *lock, deadline_t deadline);

// The argument of a method whose only one is timeout=None, beside the object. Raises TypeError for others.
mp_obj_t line_timeout(size_t n_args, const mp_obj_t *args, mp_map_t *keywords);

// When a timeout in seconds is over: None has no end, and a negative one is a single try, as 0 is. Raises as lock_deadline().
deadline_t line_deadline(mp_obj_t timeout);

#endif // MODTHREAD_NOTICE_H
