// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The GIL is handed over, never dropped to be fought for: whoever gives it up chooses the next owner and wakes it, and
// a thread that is woken from a wait is put into the queue by its waker, so that its task runs only when it can go on.
//
// Two queues. Threads whose time slice ended are computing: they take turns of a switch interval. Threads that come
// from a wait go first, so that they answer at once, but not always: a computing thread keeps the GIL for COMPUTING_MIN_US,
// and gets its turn when woken threads have had it for as long. So the computing ones keep about half of the time even
// beside threads that sleep and wake as fast as they can.

#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"

#include "gil.h"
#include "scheduler.h"

#define COMPUTING_MIN_US (500)
#define WOKEN_MAX_US (1000)

typedef struct _queue_t {
    thread_t *first;
    thread_t *last;
} queue_t;

static struct {
    thread_t *owner; // NULL if nobody wants it, and then both queues are empty
    thread_t *resident;
    queue_t woken;
    queue_t computing;
    uint32_t granted_us; // when the owner got it
    uint32_t woken_us; // how long woken threads have had it since a computing one had
    uint32_t events; // how often mp_thread_notify() has been called
    volatile bool switch_requested;
} gil = {
    .owner = &thread_main,
    .resident = &thread_main,
};

uintptr_t gc_helper_get_regs_and_sp(uintptr_t *regs);

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

static inline uint32_t held_us(void) {
    return (uint32_t)mp_hal_ticks_us() - gil.granted_us;
}

// Ask the owner to give way, if the time has come for one of those in the queues.
static void consider_switch(void) {
    if (gil.owner == NULL || gil.switch_requested) {
        return;
    }
    uint32_t held = held_us();
    bool due;
    if (gil.owner->woken) {
        due = held >= WOKEN_MAX_US;
    } else {
        due = (gil.woken.first != NULL && held >= COMPUTING_MIN_US)
            || (gil.computing.first != NULL && gil.owner->slice_us + held >= MODTHREAD_SWITCH_INTERVAL_US);
    }
    if (due) {
        gil.switch_requested = true;
        scheduler_update();
    }
}

static void grant(thread_t *thread) {
    if (!thread->woken) {
        gil.woken_us = 0;
    }
    thread->status = THREAD_RUNNING;
    gil.owner = thread;
    gil.granted_us = mp_hal_ticks_us();
    gil.switch_requested = false;
}

// Charge the owner for the time that it has had.
static void charge(thread_t *owner) {
    if (owner->woken) {
        gil.woken_us += held_us();
    } else {
        owner->slice_us += held_us();
    }
}

// Choose the next owner. Returns the thread whose task is to be given its semaphore, or NULL.
static thread_t *pass_on(void) {
    bool woken_turn = gil.woken.first != NULL
        && (gil.computing.first == NULL || gil.woken_us < COMPUTING_MIN_US);
    queue_t *queue = woken_turn ? &gil.woken : &gil.computing;
    if (queue->first == NULL) {
        gil.owner = NULL;
        gil.switch_requested = false;
        return NULL;
    }
    grant(queue_pop(queue));
    return gil.owner;
}

// A thread ends its wait. Returns it if it owns the GIL now, else NULL.
static thread_t *make_ready(thread_t *thread) {
    thread->woken = true;
    thread->slice_us = 0;
    if (gil.owner == NULL) {
        grant(thread);
        return thread;
    }
    thread->status = THREAD_READY;
    queue_append(&gil.woken, thread);
    consider_switch();
    return NULL;
}

static inline void give(thread_t *thread) {
    if (thread != NULL) {
        kernel_give(thread->task);
    }
}

/******************************************************************************/
// Waiting for the GIL

// For the garbage collector, before anybody else can own the GIL: put the registers on the stack, into a variable of a
// function that stays there while the thread waits, and note where the stack begins.
#define NOTE_STACK(self, regs) ((self)->stack_pointer = (void *)gc_helper_get_regs_and_sp(regs))

// Wait until the thread owns the GIL; when the ticks are over a parked thread asks for it.
static void wait_for_grant(thread_t *self, TickType_t ticks) {
    TickType_t start = ticks == KERNEL_FOREVER ? 0 : kernel_ticks();
    while (gil.owner != self) {
        TickType_t left = KERNEL_FOREVER;
        if (ticks != KERNEL_FOREVER && self->status == THREAD_WAITING) {
            TickType_t elapsed = kernel_ticks() - start;
            if (elapsed >= ticks) {
                uint32_t state = kernel_lock();
                if (self->status == THREAD_WAITING) {
                    make_ready(self);
                }
                kernel_unlock(state);
                continue;
            }
            left = ticks - elapsed;
        }
        kernel_take(left);
    }
}

// The thread owns the GIL: move its state to where MicroPython looks for it.
static void resume(thread_t *self) {
    uint32_t state = kernel_lock();
    if (gil.resident != self) {
        gil.resident->state = mp_state_ctx.thread;
        mp_state_ctx.thread = self->state;
        gil.resident = self;
    }
    scheduler_update();
    kernel_unlock(state);
}

// In a critical section: give up the GIL that self owns, with a new status. Returns what pass_on() does.
static thread_t *leave(thread_t *self, thread_status_t status) {
    charge(self);
    self->status = status;
    self->slice_us = 0;
    return pass_on();
}

thread_t *gil_resident(void) {
    return gil.resident;
}

bool gil_switch_requested(void) {
    return gil.switch_requested;
}

void gil_yield(void) {
    gc_helper_regs_t regs;
    thread_t *self = gil.resident;
    thread_check_stack(self);
    NOTE_STACK(self, regs);
    uint32_t state = kernel_lock();
    charge(self);
    self->status = THREAD_READY;
    if (self->woken || self->slice_us >= MODTHREAD_SWITCH_INTERVAL_US) {
        self->woken = false;
        self->slice_us = 0;
        queue_append(&gil.computing, self);
    } else {
        queue_prepend(&gil.computing, self); // it was interrupted by a woken thread, and goes on afterwards
    }
    thread_t *next = pass_on();
    if (next != self) {
        give(next);
    }
    kernel_unlock(state);
    if (next != self) {
        wait_for_grant(self, KERNEL_FOREVER);
    }
    resume(self);
}

void gil_release(void) {
    if (scheduler_is_locked()) {
        return;
    }
    thread_t *self = gil.resident;
    thread_check_stack(self);
    // This function returns, and the C code that follows may move registers to anywhere: keep them at the stack's end.
    NOTE_STACK(self, (uintptr_t *)&self->stack[1]);
    uint32_t state = kernel_lock();
    thread_t *next = leave(self, THREAD_OUTSIDE);
    give(next);
    kernel_unlock(state);
}

void gil_acquire(void) {
    gc_helper_regs_t regs;
    thread_t *self = thread_self();
    NOTE_STACK(self, regs);
    uint32_t state = kernel_lock();
    if (gil.owner != self) {
        make_ready(self);
    }
    kernel_unlock(state);
    wait_for_grant(self, KERNEL_FOREVER);
    resume(self);
}

void gil_park(TickType_t ticks, bool event) {
    gc_helper_regs_t regs;
    thread_t *self = gil.resident;
    thread_check_stack(self);
    NOTE_STACK(self, regs);
    uint32_t state = kernel_lock();
    bool woken_before = self->wake_pending || (event && self->events_seen != gil.events);
    self->wake_pending = false;
    self->events_seen = gil.events;
    if (woken_before) {
        kernel_unlock(state);
        return;
    }
    self->awaits_event = event;
    thread_t *next = leave(self, THREAD_WAITING);
    give(next);
    kernel_unlock(state);
    wait_for_grant(self, ticks);
    resume(self);
}

void gil_wake(thread_t *thread) {
    thread_t *granted = NULL;
    uint32_t state = kernel_lock();
    if (thread->status == THREAD_WAITING) {
        granted = make_ready(thread);
    } else if (thread->status == THREAD_READY) {
        if (!thread->woken) {
            queue_remove(&gil.computing, thread);
            make_ready(thread);
        }
    } else {
        thread->wake_pending = true;
    }
    give(granted);
    kernel_unlock(state);
}

void mp_thread_notify(void) {
    thread_t *granted = NULL;
    uint32_t state = kernel_lock();
    gil.events++;
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        if (thread->status == THREAD_WAITING && thread->awaits_event) {
            thread_t *ready = make_ready(thread);
            granted = ready == NULL ? granted : ready;
        }
    }
    give(granted);
    kernel_unlock(state);
}

void gil_start(thread_t *thread) {
    uint32_t state = kernel_lock();
    thread->woken = false;
    thread->slice_us = 0;
    thread->status = THREAD_READY;
    queue_append(&gil.computing, thread);
    consider_switch();
    kernel_unlock(state);
}

void gil_enter_first(thread_t *self) {
    wait_for_grant(self, KERNEL_FOREVER);
    resume(self);
}

void gil_finish(thread_t *self) {
    thread_check_stack(self);
    uint32_t state = kernel_lock();
    thread_t *next = leave(self, THREAD_FINISHED);
    give(next);
    kernel_unlock(state);
    gil_enter_first(self);
}

void gil_forget_others(void) {
    uint32_t state = kernel_lock();
    gil.woken.first = NULL;
    gil.computing.first = NULL;
    gil.switch_requested = false;
    scheduler_update();
    kernel_unlock(state);
}

/******************************************************************************/
// What MicroPython's core and ports call

void mp_thread_tick(void) {
    thread_check_stack(gil.resident); // it may be computing, and never get to where it would be checked
    uint32_t state = kernel_lock();
    if (mp_thread_gil_contended()) {
        consider_switch();
    }
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
