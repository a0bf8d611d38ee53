// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The GIL is handed over, never dropped to be fought for: whoever gives it up chooses the next owner and wakes it, and
// a thread that is woken from a wait is put into the queue by its waker, so that its task runs only when it can go on.
//
// Two queues. Threads whose time slice ended are computing: they take turns of a switch interval. Threads that come
// from a wait go first, at once: what they do then is most often short, and they are on time.
//
// What woken threads have of the GIL while computing ones want it is a debt, which the computing ones get back as they
// run. Where the debt is WOKEN_MAX_US a computing thread has its turn, and keeps the GIL for COMPUTING_MIN_US. So neither
// kind starves: threads that sleep little are on time, and beside threads that sleep and wake as fast as they can the
// computing ones keep about half of the time.
//
// Who waits until some time is in no queue. The port's alarm is set for the first of these times: when it comes the alarm
// looks at all threads.

#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"

#include "gil.h"
#include "scheduler.h"

#define COMPUTING_MIN_US (500)
#define WOKEN_MAX_US (1000)

// True if the task that runs has a mutex by which the port's drivers keep each other out. For assertions.
#ifndef MP_THREAD_HOLDS_PORT_MUTEX
#define MP_THREAD_HOLDS_PORT_MUTEX() (false)
#endif

// Nobody tells a pinned thread that what it waits for is there: it looks again and again.
#define PINNED_WAIT_TICKS KERNEL_TICKS_FROM_MS(5)
#define US_PER_TICK (1000000 / KERNEL_TICK_HZ)

typedef struct _queue_t {
    thread_t *first;
    thread_t *last;
} queue_t;

static struct {
    thread_t *owner; // NULL if nobody wants it, and then both queues are empty
    queue_t woken;
    queue_t computing;
    deadline_t alarm; // when the port calls mp_thread_alarm(), or DEADLINE_NEVER
    uint32_t granted_us; // when the owner got it
    uint32_t woken_us; // the debt of woken threads
} gil;

thread_t *gil_current;
volatile bool gil_switch_requested;
uint16_t gil_pins;
uint32_t gil_switch_interval_us;

uintptr_t gc_helper_get_regs_and_sp(uintptr_t *regs);

_Static_assert(KERNEL_STACK_OFFSET == 0 || KERNEL_STACK_OFFSET >= sizeof(gc_helper_regs_t), "room for registers");

/******************************************************************************/
// Queues, changed in a critical section only

static void queue_append(queue_t *queue, thread_t *thread) {
    thread->next_ready = NULL;
    if (queue->first == NULL) {
        queue->first = thread;
    } else {
        queue->last->next_ready = thread;
    }
    queue->last = thread;
}

static void queue_prepend(queue_t *queue, thread_t *thread) {
    thread->next_ready = queue->first;
    if (queue->first == NULL) {
        queue->last = thread;
    }
    queue->first = thread;
}

static thread_t *queue_pop(queue_t *queue) {
    thread_t *thread = queue->first;
    queue->first = thread->next_ready;
    return thread;
}

static void queue_remove(queue_t *queue, thread_t *thread) {
    thread_t *before = NULL;
    for (thread_t *t = queue->first; t != thread; t = t->next_ready) {
        assert(t != NULL); // whoever is ready and not woken is in the computing queue
        before = t;
    }
    if (before == NULL) {
        queue->first = thread->next_ready;
    } else {
        before->next_ready = thread->next_ready;
    }
    if (queue->last == thread) {
        queue->last = before;
    }
}

/******************************************************************************/
// Who is next; all in a critical section

static inline uint32_t now_us(void) {
    return mp_hal_ticks_us();
}

static void set_alarm(deadline_t deadline) {
    if (deadline < gil.alarm) {
        gil.alarm = deadline;
        mp_thread_set_alarm(deadline);
    }
}

// A computing thread has the GIL, and a woken one waits: for that one's turn, at the latest when the debt has been paid.
static bool woken_is_due(uint32_t held) {
    if (gil.woken_us < WOKEN_MAX_US || held >= COMPUTING_MIN_US) {
        return true;
    }
    set_alarm(mp_thread_time_us() + COMPUTING_MIN_US - held);
    return false;
}

// Ask the owner to give way, if the time has come for one of those in the queues.
static void consider_switch(void) {
    if (gil.owner == NULL || gil_switch_requested) {
        return;
    }
    uint32_t held = now_us() - gil.granted_us;
    bool due;
    if (gil.owner->woken) {
        due = held >= WOKEN_MAX_US;
    } else {
        due = (gil.woken.first != NULL && woken_is_due(held))
            || (gil.computing.first != NULL && gil.owner->slice_us + held >= gil_switch_interval_us);
    }
    if (due) {
        gil_switch_requested = true;
        scheduler_update();
    }
}

static void grant(thread_t *thread, uint32_t now) {
    thread->status = THREAD_RUNNING;
    TRACE_STATUS(thread);
    gil.owner = thread;
    gil.granted_us = now;
    gil_switch_requested = false;
}

// Charge the owner for the time that it has had.
static void charge(thread_t *owner, uint32_t now) {
    uint32_t held = now - gil.granted_us;
    if (owner->woken) {
        gil.woken_us = gil.computing.first == NULL ? 0 : MIN(gil.woken_us + held, WOKEN_MAX_US);
    } else {
        gil.woken_us -= MIN(gil.woken_us, held);
        owner->slice_us += held;
    }
}

// Move a thread's state to where MicroPython looks for it. Never from an interrupt: one that it has interrupted may be
// amidst a handler written in Python, which uses the state that is there. gil_current comes last: it says where a state is.
static void make_current(thread_t *thread) {
    gil_current->state = mp_state_ctx.thread;
    mp_state_ctx.thread = thread->state;
    gil_current = thread;
    scheduler_update();
}

// Choose the next owner, and let its task run. Nobody is the owner any more if nobody wants to be.
static void pass_on(uint32_t now) {
    bool woken_turn = gil.woken.first != NULL
        && (gil.computing.first == NULL || gil.woken_us < WOKEN_MAX_US);
    queue_t *queue = woken_turn ? &gil.woken : &gil.computing;
    if (queue->first == NULL) {
        gil.owner = NULL;
        gil_switch_requested = false;
    } else {
        thread_t *next = queue_pop(queue);
        grant(next, now);
        if (next != gil_current) {
            make_current(next);
        }
        kernel_give(next->task);
    }
}

// A thread ends its wait. Returns true if it owns the GIL now.
static bool make_ready(thread_t *thread) {
    thread->woken = true;
    thread->slice_us = 0;
    if (gil.owner == NULL) {
        grant(thread, now_us());
        return true;
    }
    thread->status = THREAD_READY;
    TRACE_STATUS(thread);
    queue_append(&gil.woken, thread);
    if (!gil.owner->woken) { // else the next tick is soon enough
        consider_switch();
    }
    return false;
}

// The same for a thread whose task waits for its semaphore.
static void wake(thread_t *thread) {
    if (make_ready(thread)) {
        kernel_give(thread->task);
    }
}

/******************************************************************************/
// Waiting for the GIL

// For the garbage collector, before anybody else can own the GIL: put the registers on the stack, into a variable of a
// function that stays there while the thread waits, and note where the stack begins.
#define NOTE_STACK(self, regs) ((self)->stack_pointer = (void *)gc_helper_get_regs_and_sp(regs))

// Wait until the thread owns the GIL. Whoever grants it to a thread that does not run gives it its semaphore.
static void wait_for_grant(const thread_t *self) {
    do {
        kernel_take(KERNEL_FOREVER);
    } while (gil.owner != self);
}

// The thread owns the GIL. If it got it from an interrupt its state has not been moved.
static void resume(thread_t *self) {
    if (gil_current != self) {
        uint32_t state = kernel_lock();
        make_current(self);
        kernel_unlock(state);
    }
}

// In a critical section: give up the GIL that self owns, with a new status.
static void leave(thread_t *self, thread_status_t status) {
    assert(gil_pins == 0);
    uint32_t now = now_us();
    charge(self, now);
    self->status = status;
    TRACE_STATUS(self);
    pass_on(now);
}

void gil_init(void) {
    gil.owner = &thread_main;
    gil.alarm = DEADLINE_NEVER;
    gil_current = &thread_main;
}

// Who gives up the GIL owns it, runs, and has no mutex that the next owner may wait for: that one would keep the GIL.
static thread_t *owner_that_runs(void) {
    thread_t *self = gil_current;
    assert(gil.owner == self && self->task == kernel_current_task());
    assert(!MP_THREAD_HOLDS_PORT_MUTEX());
    thread_check_stack(self);
    return self;
}

void gil_yield(void) {
    assert(gil_pins == 0);
    gc_helper_regs_t regs;
    thread_t *self = owner_that_runs();
    NOTE_STACK(self, regs);
    uint32_t state = kernel_lock();
    uint32_t now = now_us();
    charge(self, now);
    self->status = THREAD_READY;
    TRACE_STATUS(self);
    if (self->woken || self->slice_us >= gil_switch_interval_us) {
        self->woken = false;
        self->slice_us = 0;
        queue_append(&gil.computing, self);
    } else {
        queue_prepend(&gil.computing, self); // it was interrupted by a woken thread, and goes on afterwards
    }
    pass_on(now);
    kernel_unlock(state);
    wait_for_grant(self);
    resume(self);
}

void gil_release(void) {
    thread_t *self = gil_current;
    if (scheduler_is_locked() || gil_pins > 0 || thread_self() != self) {
        return;
    }
    owner_that_runs();
    // This function returns, and the C code that follows may move registers to anywhere: keep them at the stack's end.
    NOTE_STACK(self, (uintptr_t *)self->stack->words);
    uint32_t state = kernel_lock();
    leave(self, THREAD_OUTSIDE);
    kernel_unlock(state);
}

void gil_acquire(void) {
    gc_helper_regs_t regs;
    thread_t *self = thread_self();
    if (self == NULL) {
        return;
    }
    NOTE_STACK(self, regs);
    uint32_t state = kernel_lock();
    bool owned = gil.owner == self || make_ready(self);
    kernel_unlock(state);
    if (!owned) {
        wait_for_grant(self);
    }
    resume(self);
}

// Rounded up, for the first tick is cut short.
static TickType_t pinned_wait_ticks(deadline_t deadline) {
    deadline_t now = mp_thread_time_us();
    if (now >= deadline) {
        return 0;
    }
    uint64_t left = deadline - now;
    return left >= PINNED_WAIT_TICKS * US_PER_TICK ? PINNED_WAIT_TICKS : ((uint32_t)left + US_PER_TICK - 1) / US_PER_TICK;
}

void gil_unlock_and_park(deadline_t deadline, uint32_t state, bool event) {
    gc_helper_regs_t regs;
    thread_t *self = owner_that_runs();
    NOTE_STACK(self, regs);
    if (event && self->event_came) {
        self->event_came = false;
        kernel_unlock(state);
        return;
    }
    if (gil_pins > 0) {
        kernel_unlock(state);
        kernel_take(pinned_wait_ticks(deadline));
        return;
    }
    self->awaits_event = event;
    self->waits++;
    leave(self, THREAD_WAITING);
    self->deadline = deadline;
    if (deadline == DEADLINE_NOW) {
        wake(self);
    } else {
        set_alarm(deadline);
    }
    kernel_unlock(state);
    wait_for_grant(self);
    resume(self);
}

void gil_park(deadline_t deadline) {
    gil_unlock_and_park(deadline, kernel_lock(), false);
}

void gil_wake_in_critical(thread_t *thread) {
    if (thread->status == THREAD_WAITING) {
        wake(thread);
    } else if (thread->status == THREAD_READY && !thread->woken) {
        queue_remove(&gil.computing, thread);
        make_ready(thread);
    }
}

void gil_wake(thread_t *thread) {
    uint32_t state = kernel_lock();
    gil_wake_in_critical(thread);
    kernel_unlock(state);
}

void mp_thread_notify(void) {
    uint32_t state = kernel_lock();
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        thread->event_came = true;
        if (thread->status == THREAD_WAITING && thread->awaits_event) {
            wake(thread);
        }
    }
    kernel_unlock(state);
}

void gil_start(thread_t *thread) {
    uint32_t state = kernel_lock();
    thread->woken = false;
    thread->slice_us = 0;
    thread->status = THREAD_READY;
    TRACE_STATUS(thread);
    queue_append(&gil.computing, thread);
    consider_switch();
    kernel_unlock(state);
}

void gil_enter_first(thread_t *self) {
    wait_for_grant(self);
    resume(self);
}

void gil_leave(thread_t *self) {
    thread_check_stack(self);
    uint32_t state = kernel_lock();
    leave(self, THREAD_FINISHED);
    kernel_unlock(state);
}

void gil_finish(thread_t *self) {
    gil_leave(self);
    gil_enter_first(self);
}

void gil_forget(thread_t *thread) {
    uint32_t state = kernel_lock();
    if (thread->status == THREAD_READY) {
        queue_remove(thread->woken ? &gil.woken : &gil.computing, thread);
    }
    kernel_unlock(state);
}

/******************************************************************************/
// What MicroPython's core and ports call

void mp_thread_tick(void) {
    if (gil_current == NULL) {
        return; // gil_init() comes later
    }
    uint32_t state = kernel_lock();
    thread_check_stack(gil_current); // it may be computing, and never get to where it would be checked
    scheduler_tick();
    if (mp_thread_gil_contended()) {
        consider_switch();
    }
    kernel_unlock(state);
}

// Let those go on whose time has come; returns when the next one's comes. In a critical section.
static deadline_t wake_whose_time_has_come(deadline_t now) {
    deadline_t next = DEADLINE_NEVER;
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        if (thread->status != THREAD_WAITING) {
            continue;
        }
        if (thread->deadline <= now) {
            wake(thread);
        } else {
            next = MIN(next, thread->deadline);
        }
    }
    return next;
}

void mp_thread_alarm(void) {
    uint32_t state = kernel_lock();
    deadline_t now = mp_thread_time_us();
    if (now >= gil.alarm) {
        gil.alarm = wake_whose_time_has_come(now);
        consider_switch();
    }
    mp_thread_set_alarm(gil.alarm);
    kernel_unlock(state);
}

bool mp_thread_gil_contended(void) {
    return gil.woken.first != NULL || gil.computing.first != NULL;
}

void mp_thread_mutex_init(mp_thread_mutex_t *mutex) {
    (void)mutex;
}

int mp_thread_mutex_lock(mp_thread_mutex_t *mutex, int wait) {
    (void)wait;
    assert(mutex == &MP_STATE_VM(gil_mutex));
    gil_acquire();
    return 1;
}

void mp_thread_mutex_unlock(mp_thread_mutex_t *mutex) {
    assert(mutex == &MP_STATE_VM(gil_mutex));
    gil_release();
}
