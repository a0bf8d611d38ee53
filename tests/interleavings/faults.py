"""Faults that are put into copies of modthread's files, to see that the explorer finds them.

Not here, because they are harmless: the state of the next owner left to itself to move, which it
does when its task runs; the slice of a woken thread not begun anew, which is done when it has to
give way; a stack freed before its task is deleted, while nobody else can allocate; a main thread
that is not told of a thread's end during a soft reset, and a wait rounded down to ticks, which both
look again.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A change of one place in a file of modthread/, and the scenario that fails with it."""

    name: str
    file: str
    before: str
    after: str
    scenario: str
    cores: int = 1
    bound: int = 1


FAULTS = [
    Fault(
        "the queue's last is forgotten when one is appended",
        "gil.c",
        "    }\n    queue->last = thread;\n",
        "    }\n",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "the queue's last is forgotten when one is removed",
        "gil.c",
        "        queue->last = before;\n",
        "",
        "ctrl_c_in_a_hand_over",
    ),
    Fault(
        "the queue's last is forgotten when one comes first",
        "gil.c",
        "        queue->last = thread;\n    }\n    queue->first = thread;",
        "    }\n    queue->first = thread;",
        "callback_in_a_sleep",
        bound=2,
    ),
    Fault(
        "the next owner is not woken",
        "gil.c",
        "        kernel_give(next->task);\n",
        "",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "a thread from a wait is put into the other queue",
        "gil.c",
        "    queue_append(&gil.woken, thread);",
        "    queue_append(&gil.computing, thread);",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "a thread that gets the free GIL is not woken",
        "gil.c",
        "    if (make_ready(thread)) {\n        kernel_give",
        "    if (make_ready(thread) && false) {\n        kernel_give",
        "callback_in_a_sleep",
    ),
    Fault(
        "the alarm wakes nobody",
        "gil.c",
        "        if (thread->deadline <= now) {",
        "        if (false) {",
        "timeout_is_not_early",
    ),
    Fault(
        "the alarm wakes who does not wait",
        "gil.c",
        "        if (thread->status != THREAD_WAITING) {\n            continue;",
        "        if (thread->status == THREAD_RUNNING) {\n            continue;",
        "timeout_against_hand_over",
    ),
    Fault(
        "the alarm is not set for the next who waits",
        "gil.c",
        "        gil.alarm = wake_whose_time_has_come(now);\n",
        "        wake_whose_time_has_come(now);\n        gil.alarm = DEADLINE_NEVER;\n",
        "sleeps_of_three",
    ),
    Fault(
        "the alarm is not set for who waits",
        "gil.c",
        "        set_alarm(deadline);\n    }\n    kernel_unlock",
        "    }\n    kernel_unlock",
        "timeout_is_not_early",
    ),
    Fault(
        "the alarm is set for the last who waits",
        "gil.c",
        "    if (deadline < gil.alarm) {",
        "    if (deadline != DEADLINE_NEVER) {",
        "sleeps_of_three",
    ),
    Fault(
        "the state is not moved to who got the GIL from an interrupt",
        "gil.c",
        "    if (gil_current != self) {\n        uint32_t",
        "    if (false) {\n        uint32_t",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "who gives up the GIL still says that it runs",
        "gil.c",
        "    self->status = status;\n",
        "",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "who gives way does not get into a queue",
        "gil.c",
        "        queue_append(&gil.computing, self);\n    } else",
        "    } else",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "the stack is not noted before C code outside",
        "gil.c",
        "    NOTE_STACK(self, (uintptr_t *)self->stack->words);\n",
        "",
        "collection_beside_a_thread_outside",
    ),
    Fault(
        "the GIL is handed over after the critical section",
        "gil.c",
        "    leave(self, THREAD_WAITING);\n    self->",
        "    kernel_unlock(state);\n    leave(self, THREAD_WAITING);\n"
        "    state = kernel_lock();\n    self->",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "nobody looks for an event before it parks",
        "gil.c",
        "    if (event && self->event_came) {",
        "    if (false) {",
        "notify_against_a_wait",
    ),
    Fault(
        "who waits for an event is not known",
        "gil.c",
        "    self->awaits_event = event;",
        "    self->awaits_event = false;",
        "notify_against_a_wait",
    ),
    Fault(
        "nobody is told of an event that came before it waits",
        "gil.c",
        "        thread->event_came = true;\n",
        "",
        "notify_against_a_wait",
    ),
    Fault(
        "a thread is woken that does not wait",
        "gil.c",
        "    if (thread->status == THREAD_WAITING) {\n        wake(thread);\n    } else if",
        "    if (thread->status != THREAD_RUNNING) {\n        wake(thread);\n    } else if",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "a thread that goes before the computing ones stays among them",
        "gil.c",
        "        queue_remove(&gil.computing, thread);\n        make_ready",
        "        make_ready",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "a deleted thread stays in its queue",
        "gil.c",
        "    if (thread->status == THREAD_READY) {\n        queue_remove(thread->woken",
        "    if (false) {\n        queue_remove(thread->woken",
        "soft_reset_beside_one_that_computes",
        bound=0,
    ),
    Fault(
        "no switch is ever due",
        "gil.c",
        "    if (due) {",
        "    if (false) {",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "the tick does not look who waits for the GIL",
        "gil.c",
        "    if (mp_thread_gil_contended()) {\n        consider",
        "    if (false) {\n        consider",
        "a_computing_thread_gives_way",
        bound=2,
    ),
    Fault(
        "a task that is used again comes from a wait",
        "gil.c",
        "    thread->woken = false;\n    thread->slice_us = 0;\n    thread->status = THREAD_READY;",
        "    thread->slice_us = 0;\n    thread->status = THREAD_READY;",
        "the_second_in_line_gives_up",
        bound=2,
    ),
    Fault(
        "the state of who had the GIL is not kept",
        "gil.c",
        "    gil_current->state = mp_state_ctx.thread;\n",
        "",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "a lock is tried outside of the critical section",
        "lock.c",
        "    if (acquired) {\n        lock->taken_by = gil_current->ident;\n    }\n"
        "    kernel_unlock(state);",
        "    kernel_unlock(state);\n    lock->taken_by = gil_current->ident;",
        "release_in_an_interrupt",
    ),
    Fault(
        "a lock is handed over, and its new owner is not told",
        "lock.c",
        "        waiter->owns_lock = true;\n        gil_wake",
        "        gil_wake",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "who got the lock stays in the line",
        "lock.c",
        "        lock->first = waiter->next;\n        lock->taken_by",
        "        lock->taken_by",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "who got the lock is not woken",
        "lock.c",
        "        gil_wake_in_critical(waiter->thread);\n",
        "",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "a free lock is waited for",
        "lock.c",
        "    waiter->owns_lock = lock->taken_by == LOCK_FREE;",
        "    waiter->owns_lock = false;",
        "release_in_an_interrupt",
    ),
    Fault(
        "the line's last is forgotten when one joins",
        "lock.c",
        "    lock->last = waiter;\n",
        "",
        "a_thread_ends_while_others_wait_for_it",
    ),
    Fault(
        "the line's last is forgotten when one quits",
        "lock.c",
        "            lock->last = before;\n",
        "            ;\n",
        "the_second_in_line_gives_up",
    ),
    Fault(
        "who owns the lock quits the line",
        "lock.c",
        "    if (!waiter->owns_lock) {",
        "    if (true) {",
        "release_in_an_interrupt_at_the_timeout",
    ),
    Fault(
        "the lock is lost with the exception",
        "lock.c",
        "            lock_give(lock); // it",
        "            // it",
        "ctrl_c_in_a_hand_over",
    ),
    Fault(
        "the lock comes at the timeout, and the answer is False",
        "lock.c",
        "    return waiter->owns_lock || lock_quit(lock, waiter);",
        "    return waiter->owns_lock || (lock_quit(lock, waiter) && false);",
        "release_in_an_interrupt_at_the_timeout",
    ),
    Fault(
        "an exception does not end the wait for a lock",
        "lock.c",
        "        mp_handle_pending(MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS);\n"
        "    }\n    waiter.thread",
        "        mp_thread_give_way();\n    }\n    waiter.thread",
        "ctrl_c_ends_a_wait_for_ever",
    ),
    Fault(
        "an exception wakes nobody",
        "scheduler.c",
        "    kernel_unlock(state);\n    gil_wake(thread);",
        "    kernel_unlock(state);",
        "ctrl_c_ends_a_wait_for_ever",
    ),
    Fault(
        "the VM is not told of exceptions and callbacks",
        "scheduler.c",
        "pin_keeps_main() || work_pending());",
        "pin_keeps_main());",
        "callback_releases_the_lock",
    ),
    Fault(
        "nobody looks for pending work before it parks",
        "scheduler.c",
        "    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING && work_pending()) {",
        "    if (false) {",
        "callback_releases_the_lock",
    ),
    Fault(
        "a scheduled callback is not counted",
        "scheduler.c",
        "        MP_STATE_VM(sched_len)++;\n",
        "",
        "callback_in_a_sleep",
    ),
    Fault(
        "a callback wakes nobody",
        "scheduler.c",
        "        gil_wake(&thread_main);\n",
        "",
        "callback_releases_the_lock",
    ),
    Fault(
        "the scheduler stays locked",
        "scheduler.c",
        "    lock_depth--;\n",
        "",
        "guest_enters_and_leaves",
    ),
    Fault(
        "callbacks run once only",
        "scheduler.c",
        "    running_callbacks = false;\n    scheduler_update();",
        "    scheduler_update();",
        "callback_in_a_sleep",
    ),
    Fault(
        "a deadline wraps",
        "deadline.c",
        "    return mp_thread_time_us() + us;",
        "    return (uint32_t)mp_thread_time_us() + us;",
        "timeout_is_not_early",
        bound=2,
    ),
    Fault(
        "a thread that has ended stays in the list",
        "thread.c",
        "        list_remove(self);\n        self->next = pool;",
        "        self->next = pool;",
        "a_computing_thread_gives_way",
    ),
    Fault(
        "the collector does not see other threads",
        "thread.c",
        "        if (thread != gil_current) {\n            trace",
        "        if (false) {\n            trace",
        "collection_beside_a_thread_outside",
    ),
    Fault(
        "the lines in which deleted threads wait are not forgotten",
        "thread.c",
        "    lock_reset(); // before",
        "    // before",
        "soft_reset_and_a_lost_line",
    ),
    Fault(
        "a slice is not begun anew when it has ended",
        "gil.c",
        "        self->woken = false;\n        self->slice_us = 0;\n",
        "        self->woken = false;\n",
        "a_computing_thread_keeps_its_slice",
    ),
    Fault(
        "a thread that starts has the slice of who has had its task",
        "gil.c",
        "    thread->woken = false;\n    thread->slice_us = 0;\n",
        "    thread->woken = false;\n",
        "a_computing_thread_keeps_its_slice",
    ),
    Fault(
        "nobody notes when the GIL was granted",
        "gil.c",
        "    gil.granted_us = now;\n",
        "",
        "a_computing_thread_keeps_its_slice",
    ),
    Fault(
        "who comes back to a line joins at its end",
        "lock.c",
        "    } else if (came_before(lock->last, waiter)) {",
        "    } else if (true) {",
        "a_callback_keeps_the_place_in_line",
    ),
    Fault(
        "who comes back to a line has another number",
        "lock.c",
        "        if (lock_park(lock, &waiter, deadline)) {",
        "        waiter.number = ++last_number;\n        if (lock_park(lock, &waiter, deadline)) {",
        "a_callback_keeps_the_place_in_line",
    ),
    Fault(
        "a soft reset asks no thread to leave",
        "thread.c",
        "        scheduler_raise(thread, mp_obj_new_exception(&mp_type_SystemExit));\n    }\n}",
        "    }\n}",
        "soft_reset_lets_threads_clean_up",
    ),
    Fault(
        "a soft reset asks once only",
        "thread.c",
        "++thread->looks == LOOKS_UNTIL_ASKED",
        "++thread->looks == 0",
        "soft_reset_lets_threads_clean_up",
    ),
    Fault(
        "a thread that starts again stays in the pool",
        "thread.c",
        "            *link = thread->next;\n            return thread;",
        "            return thread;",
        "collection_beside_a_thread_on_a_used_task",
    ),
    Fault(
        "a thread's record is used after it was freed",
        "thread.c",
        "    gil_forget(thread);\n    thread_stack_t *stack = thread->stack;",
        "    thread_stack_t *stack = thread->stack;\n    stack_free(stack);\n"
        "    gil_forget(thread);",
        "soft_reset_beside_one_that_starts_another",
    ),
    Fault(
        "a guest keeps the GIL",
        "thread.c",
        "    gil_leave(&guest);\n",
        "",
        "guest_enters_and_leaves",
    ),
    Fault(
        "a guest has the main thread's stack",
        "thread.c",
        "    ts->stack_top = stack_top;\n",
        "    (void)stack_top;\n",
        "guest_enters_and_leaves",
    ),
]
