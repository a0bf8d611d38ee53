// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Pending exceptions and callbacks. This is not the scheduler of threads: gil.c decides which thread runs.
//
// It takes the place of py/scheduler.c (its interface is in py/runtime.h), and has its name. Exceptions are pending for one
// thread, callbacks run on the main thread only, and a request to switch threads is attended to at the same point.
//
// The VM tests one word at every branch, sched_state, just as in a firmware without threads: it is MP_SCHED_PENDING when
// the thread that runs has something to attend to. So py/vm.c is compiled as if there were no threads (micropython.mk).

#include "py/mphal.h"
#include "py/runtime.h"

#include "describe.h"
#include "gil.h"
#include "micropython_releases.h"
#include "scheduler.h"

#if !MICROPY_ENABLE_SCHEDULER || MICROPY_ENABLE_VM_ABORT
#error modthread needs MICROPY_ENABLE_SCHEDULER, and does not support MICROPY_ENABLE_VM_ABORT
#endif

#if MICROPY_STACK_SIZE_HARD_IRQ > 0
#error modthread sets the limits of the stack for hard interrupt handlers itself: see MODTHREAD_INTERRUPT_STACK_TOP
#endif

// vm.c, compiled without threads, must find these where everybody else does.
_Static_assert(offsetof(mp_state_vm_t, gil_mutex) > offsetof(mp_state_vm_t, sched_idx), "layout of mp_state_vm_t");

#define QUEUE_INDEX(i) ((i) & (MICROPY_SCHEDULER_DEPTH - 1))

static uint16_t lock_depth; // of mp_sched_lock()

// What is pending for the main thread waits until a callback ends, so that the callback does not swallow it: unless more
// comes, or the callback takes too long. Then it is raised in the callback, and in the main program all the same.
#define CALLBACK_END_US (1000000)
static bool running_callbacks;
static bool callback_must_end;
static uint32_t held_since_us;

// How long a thread that is pinned may keep the main one from its Ctrl-C.
#define PIN_INTERRUPTED_US (1000000)

static bool callbacks_pending(void) {
    #if MICROPY_SCHEDULER_STATIC_NODES
    if (MP_STATE_VM(sched_head) != NULL) {
        return true;
    }
    #endif
    return mp_sched_num_pending() != 0;
}

static bool in_callback(void) {
    return running_callbacks && gil_current == &thread_main;
}

static bool may_run_callbacks(void) {
    return lock_depth == 0 && gil_pins == 0 && !running_callbacks && gil_current == &thread_main;
}

// Another thread is pinned, and Ctrl-C has come.
static bool pin_keeps_main(void) {
    return gil_pins > 0 && gil_current != &thread_main && thread_main.state.mp_pending_exception != MP_OBJ_NULL;
}

static volatile bool pause_requested;
static volatile bool pausing;

static bool may_switch(void) {
    return gil_switch_requested && gil_pins == 0;
}

bool scheduler_may_raise(void) {
    return !in_callback() || callback_must_end;
}

// An exception or a callback is there for the thread that runs.
static bool work_pending(void) {
    return scheduler_exception_pending() || (callbacks_pending() && may_run_callbacks());
}

// Nothing is there for anybody, whoever may attend to it: so it is at nearly every hand-over.
static inline bool nothing_is_there(void) {
    return !gil_switch_requested && !pause_requested && gil_pins == 0
           && mp_state_ctx.thread.mp_pending_exception == MP_OBJ_NULL && !callbacks_pending();
}

static bool something_to_attend_to(void) {
    return lock_depth == 0 && (may_switch() || pause_requested || pin_keeps_main() || work_pending());
}

void scheduler_update(void) {
    bool pending = !nothing_is_there() && something_to_attend_to();
    MP_STATE_VM(sched_state) = pending ? MP_SCHED_PENDING : MP_SCHED_IDLE;
}

static void update(void) {
    uint32_t state = kernel_lock();
    scheduler_update();
    kernel_unlock(state);
}

void scheduler_unpinned(void) {
    if (gil_pins == 0 && (gil_switch_requested || callbacks_pending())) {
        update();
    }
}

bool scheduler_is_locked(void) {
    return lock_depth != 0 || kernel_interrupts_disabled();
}

bool scheduler_runs_callbacks(void) {
    return running_callbacks;
}

/******************************************************************************/
// Exceptions

void scheduler_raise(thread_t *thread, mp_obj_t exception) {
    uint32_t state = kernel_lock();
    mp_state_thread_t *ts = gil_state_of(thread);
    if (thread == &thread_main) {
        callback_must_end = running_callbacks && ts->mp_pending_exception != MP_OBJ_NULL;
        held_since_us = mp_hal_ticks_us();
    }
    ts->mp_pending_exception = exception;
    scheduler_update();
    kernel_unlock(state);
    gil_wake(thread);
}

void scheduler_tick(void) {
    if (running_callbacks && !callback_must_end && gil_state_of(&thread_main)->mp_pending_exception != MP_OBJ_NULL
        && (uint32_t)mp_hal_ticks_us() - held_since_us >= CALLBACK_END_US) {
        callback_must_end = true;
        scheduler_update();
        gil_wake_in_critical(&thread_main);
    }
}

// Take the exception that is to be raised in the calling thread, or MP_OBJ_NULL.
static mp_obj_t take_exception(void) {
    uint32_t state = kernel_lock();
    mp_obj_t exception = scheduler_exception_pending() ? mp_state_ctx.thread.mp_pending_exception : MP_OBJ_NULL;
    if (!in_callback()) {
        mp_state_ctx.thread.mp_pending_exception = MP_OBJ_NULL;
    } else if (exception != MP_OBJ_NULL) {
        callback_must_end = false; // if it does not, the next one comes as late
        held_since_us = mp_hal_ticks_us();
    }
    scheduler_update();
    kernel_unlock(state);
    return exception;
}

void mp_sched_exception(mp_obj_t exc) {
    scheduler_raise(&thread_main, exc);
}

#if MICROPY_KBD_EXCEPTION

// A program may swallow Ctrl-C in a loop, but not a flood of it: this many, each so soon after the one before, are raised
// again and again until the program has ended. A key that is held down is a flood after some seconds.
#define FLOOD (100)
#define FLOOD_GAP_US (200000)
static struct {
    uint32_t count; // of Ctrl-C in a row
    uint32_t last_us;
} interrupts;

void mp_sched_keyboard_interrupt(void) {
    uint32_t now = mp_hal_ticks_us();
    interrupts.count = now - interrupts.last_us < FLOOD_GAP_US ? interrupts.count + 1 : 1;
    interrupts.last_us = now;
    mp_sched_exception(MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_kbd_exception)));
}
#endif

/******************************************************************************/
// Callbacks

#ifdef MODTHREAD_INTERRUPT_STACK_TOP

// Hard interrupt handlers written in Python begin with mp_sched_lock(), and run on another stack than the thread that they
// interrupt: its limits hold while they last.
static struct {
    uint16_t depth; // of interrupts in which Python runs
    char *top;
    mp_uint_t limit;
} interrupted;

// Where a handler's exception is caught, py/nlr.c runs all callbacks that lie below: those of the interrupted thread, which
// take out its pins, must lie above.
static void enter_interrupt_stack(void) {
    if (interrupted.depth++ == 0) {
        assert(mp_state_ctx.thread.stack_top >= (char *)(MODTHREAD_INTERRUPT_STACK_TOP));
        interrupted.top = mp_state_ctx.thread.stack_top;
        interrupted.limit = mp_state_ctx.thread.stack_limit;
        mp_state_ctx.thread.stack_top = (char *)(MODTHREAD_INTERRUPT_STACK_TOP);
        mp_state_ctx.thread.stack_limit = MODTHREAD_INTERRUPT_STACK_LIMIT;
    }
}

static void leave_interrupt_stack(void) {
    if (--interrupted.depth == 0) {
        mp_state_ctx.thread.stack_top = interrupted.top;
        mp_state_ctx.thread.stack_limit = interrupted.limit;
    }
}

#else

static inline void enter_interrupt_stack(void) {
}

static inline void leave_interrupt_stack(void) {
}

#endif

void mp_sched_lock(void) {
    #if KERNEL_CORES > 1
    if (kernel_in_interrupt()) {
        mp_thread_stop_others();
    }
    #endif
    uint32_t state = kernel_lock();
    lock_depth++;
    if (kernel_in_interrupt()) {
        enter_interrupt_stack();
    }
    scheduler_update();
    kernel_unlock(state);
}

void mp_sched_unlock(void) {
    uint32_t state = kernel_lock();
    assert(lock_depth > 0);
    lock_depth--;
    if (kernel_in_interrupt()) {
        leave_interrupt_stack();
    }
    scheduler_update();
    kernel_unlock(state);
    if (kernel_in_interrupt()) {
        mp_thread_notify(); // a thread may have looked right before, or wait, for what the handler has done
        #if KERNEL_CORES > 1
        mp_thread_continue_others();
        #endif
    }
}

// A callback was put into the queue: let the VM see it, and end a wait of the main thread.
static void announce(bool queued) {
    if (queued) {
        update();
        gil_wake(&thread_main);
        #ifdef MICROPY_SCHED_HOOK_SCHEDULED
        MICROPY_SCHED_HOOK_SCHEDULED;
        #endif
    }
}

bool mp_sched_schedule(mp_obj_t function, mp_obj_t arg) {
    uint32_t state = kernel_lock();
    bool queued = mp_sched_num_pending() < MICROPY_SCHEDULER_DEPTH;
    if (queued) {
        mp_sched_item_t *item = &MP_STATE_VM(sched_queue)[QUEUE_INDEX(MP_STATE_VM(sched_idx) + MP_STATE_VM(sched_len))];
        item->func = function;
        item->arg = arg;
        MP_STATE_VM(sched_len)++;
    }
    kernel_unlock(state);
    announce(queued);
    return queued;
}

// Take the first callback of the queue; false if there is none.
static bool take_callback(mp_sched_item_t *item) {
    uint32_t state = kernel_lock();
    bool taken = mp_sched_num_pending() != 0;
    if (taken) {
        *item = MP_STATE_VM(sched_queue)[MP_STATE_VM(sched_idx)];
        MP_STATE_VM(sched_idx) = QUEUE_INDEX(MP_STATE_VM(sched_idx) + 1);
        MP_STATE_VM(sched_len)--;
    }
    kernel_unlock(state);
    return taken;
}

#if MICROPY_SCHEDULER_STATIC_NODES

bool mp_sched_schedule_node(mp_sched_node_t *node, mp_sched_callback_t callback) {
    uint32_t state = kernel_lock();
    bool queued = node->callback == NULL;
    if (queued) {
        node->callback = callback;
        node->next = NULL;
        if (MP_STATE_VM(sched_head) == NULL) {
            MP_STATE_VM(sched_head) = node;
        } else {
            MP_STATE_VM(sched_tail)->next = node;
        }
        MP_STATE_VM(sched_tail) = node;
    }
    kernel_unlock(state);
    announce(queued);
    return queued;
}

// Take the first node and its callback; false if there is none.
static bool take_node(mp_sched_node_t **node, mp_sched_callback_t *callback) {
    uint32_t state = kernel_lock();
    *node = MP_STATE_VM(sched_head);
    if (*node != NULL) {
        MP_STATE_VM(sched_head) = (*node)->next;
        *callback = (*node)->callback;
        (*node)->callback = NULL;
    }
    kernel_unlock(state);
    return *node != NULL;
}

static void run_nodes(void) {
    const mp_sched_node_t *last = MP_STATE_VM(sched_tail); // what is scheduled meanwhile has its turn next time
    mp_sched_node_t *node;
    mp_sched_callback_t callback;
    while (take_node(&node, &callback)) {
        callback(node);
        if (node == last) {
            return;
        }
    }
}

#else

static inline void run_nodes(void) {
}

#endif

static void begin_callbacks(void) {
    running_callbacks = true;
    callback_must_end = false;
}

static void end_callbacks(void) {
    uint32_t state = kernel_lock();
    running_callbacks = false;
    scheduler_update();
    kernel_unlock(state);
}

// All C callbacks, but only one Python callback: then exceptions and other threads have their turn.
//
// No exception leaves a callback, so that whoever waits finds what has happened when mp_handle_pending() returns.
static void run_callbacks(void) {
    begin_callbacks();
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        run_nodes();
        mp_sched_item_t item;
        if (take_callback(&item)) {
            mp_call_function_1(item.func, item.arg);
        }
        nlr_pop();
    } else {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    end_callbacks();
}

MP_REGISTER_ROOT_POINTER(mp_sched_item_t sched_queue[MICROPY_SCHEDULER_DEPTH]);

/******************************************************************************/
// A soft reset

void scheduler_reset(void) {
    uint32_t state = kernel_lock();
    lock_depth = 0;
    gil_pins = 0;
    running_callbacks = false;
    callback_must_end = false;
    #ifdef MODTHREAD_INTERRUPT_STACK_TOP
    interrupted.depth = 0;
    #endif
    scheduler_update();
    kernel_unlock(state);
}

/******************************************************************************/
// Where the VM, and C code that waits (wait.c), attend to all of this

void mp_thread_pause(void) {
    pause_requested = true;
    update();
}

void mp_thread_end_pause(void) {
    if (!pausing) {
        return;
    }
    uint32_t state = kernel_lock();
    if (pausing) {
        pausing = false;
        kernel_give(gil_current->task);
    }
    kernel_unlock(state);
}

// The thread keeps the GIL, and so is current until the end.
static void pause(void) {
    pause_requested = false;
    update();
    pausing = true;
    kernel_take(2);
    pausing = false;
}

void mp_thread_give_way(void) {
    if (pause_requested && !scheduler_is_locked()) {
        pause();
    }
    if (may_switch() && !scheduler_is_locked()) {
        gil_yield();
    }
}

// What is pinned may never end: a loop in __eq__(). An exception ends it, and leaves the structure whole.
static void limit_pin(void) {
    static bool kept;
    static uint32_t kept_since;
    if (!pin_keeps_main()) {
        kept = false;
        return;
    }
    if (!kept) {
        kept = true;
        kept_since = mp_hal_ticks_us();
    } else if ((uint32_t)mp_hal_ticks_us() - kept_since >= PIN_INTERRUPTED_US) {
        kept = false;
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("interrupted"));
    }
}

static void raise(mp_obj_t exception) {
    #if MICROPY_KBD_EXCEPTION
    if (exception == MP_OBJ_FROM_PTR(&MP_STATE_VM(mp_kbd_exception))) {
        MP_STATE_VM(mp_kbd_exception).traceback_data = NULL;
        if (!in_callback()) {
            describe_interrupted();
            if (interrupts.count >= FLOOD) {
                mp_sched_exception(exception);
            }
        }
    }
    #endif
    gil_current->waits_for = NULL;
    nlr_raise(exception);
}

void mp_handle_pending(mp_handle_pending_behaviour_t behaviour) {
    if (scheduler_is_locked()) {
        return;
    }
    if (gil_pins > 0) {
        update(); // a switch that was requested before has to wait
        limit_pin();
    }
    mp_thread_give_way();
    mp_obj_t exception = MP_HANDLE_PENDING_EXCEPTIONS(behaviour) ? take_exception() : MP_OBJ_NULL;
    if (exception != MP_OBJ_NULL && behaviour == MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS) {
        raise(exception);
    }
    #if MICROPY_KBD_EXCEPTION
    if (behaviour == MP_HANDLE_PENDING_CALLBACKS_AND_CLEAR_EXCEPTIONS) {
        interrupts.count = 0; // the program has ended
    }
    #endif
    if (callbacks_pending() && may_run_callbacks()) {
        run_callbacks();
    }
}

bool mp_thread_has_work(void) {
    return MP_STATE_VM(sched_state) == MP_SCHED_PENDING && gil_current->status == THREAD_RUNNING
           && gil_current->task == kernel_current_task();
}

void mp_thread_attend(bool may_raise) {
    if (may_raise) {
        mp_handle_pending(MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS);
    } else if (!scheduler_is_locked()) {
        mp_thread_give_way();
        if (callbacks_pending() && may_run_callbacks()) {
            run_callbacks();
        }
    }
}

void mp_event_handle_nowait(void) {
    MICROPY_INTERNAL_EVENT_HOOK;
    mp_handle_pending(MP_HANDLE_PENDING_CALLBACKS_AND_EXCEPTIONS);
}

void scheduler_unlock_and_park(deadline_t deadline, uint32_t state, bool event) {
    if (MP_STATE_VM(sched_state) == MP_SCHED_PENDING && work_pending()) {
        kernel_unlock(state);
        mp_thread_give_way();
    } else {
        gil_unlock_and_park(deadline, state, event);
    }
}
