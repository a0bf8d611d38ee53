// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Threads: how they start, end, are traced by the garbage collector, and are ended by a soft reset.
//
// A thread that has finished stays parked in a pool with its task and stack, and the next thread of that stack size
// runs on it. The garbage collector empties the pool: so a thread never frees the stack it stands on, starting one
// costs little, and the memory of finished ones is there when it is needed.

#include <string.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/smallint.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"

#include "describe.h"
#include "event_loop.h"
#include "file_system.h"
#include "future.h"
#include "gil.h"
#include "handle.h"
#include "import.h"
#include "lock.h"
#include "scheduler.h"
#include "threading.h"

// A soft reset asks each thread to leave, and then lets it clean up. Only if one wait of it lasts as long as
// LOOKS_UNTIL_ASKED times LOOK_US it is asked again, and when LEAVE_US are over it is deleted.
#define LEAVE_US (200000)
#define LOOK_US (10000)
#define LOOKS_UNTIL_ASKED (5)

thread_t thread_main;
thread_t *thread_list;
size_t thread_stack_size;

static thread_t *pool; // finished threads; not a root pointer, see mp_thread_gc_others()
static uint32_t last_ident;
static bool shutting_down;
static thread_t *doomed; // not in the list any more, and not yet deleted

#if MODTHREAD_GUESTS
static thread_stack_t guest_stack = { .guard = STACK_GUARD };
static thread_t guest = { .stack = &guest_stack };
#endif

thread_t *thread_self(void) {
    TaskHandle_t task = kernel_current_task();
    #if MODTHREAD_GUESTS
    if (task == guest.task) {
        return &guest;
    }
    #endif
    uint32_t state = kernel_lock(); // threads start and end meanwhile
    thread_t *thread = thread_list;
    while (thread != NULL && thread->task != task) {
        thread = thread->next;
    }
    kernel_unlock(state);
    return thread == NULL && doomed != NULL && doomed->task == task ? doomed : thread;
}

static void list_add(thread_t *thread) {
    uint32_t state = kernel_lock();
    thread->next = thread_list;
    thread_list = thread;
    kernel_unlock(state);
}

static void list_remove(thread_t *thread) {
    uint32_t state = kernel_lock();
    thread_t **link = &thread_list;
    while (*link != thread) {
        link = &(*link)->next;
    }
    *link = thread->next;
    kernel_unlock(state);
}

/******************************************************************************/
// A thread's life

// As CPython does where it cannot pass on what a repr() raises.
static void print_function(mp_obj_t function) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_print_helper(MICROPY_ERROR_PRINTER, function, PRINT_REPR);
        nlr_pop();
    } else {
        mp_print_str(MICROPY_ERROR_PRINTER, "<object repr() failed>");
    }
}

// Print what ended a thread. Printing may raise as well; then there is nobody left to tell.
// Not inline: each thread's stack would have room for it from the beginning.
static MP_NOINLINE void print_exception(mp_obj_t function, mp_obj_t exception) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_printf(MICROPY_ERROR_PRINTER, "Unhandled exception in thread started by ");
        print_function(function);
        mp_printf(MICROPY_ERROR_PRINTER, "\n");
        mp_obj_print_exception(MICROPY_ERROR_PRINTER, exception);
        nlr_pop();
    }
}

static bool is_system_exit(mp_obj_base_t *exception) {
    return mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(exception->type), MP_OBJ_FROM_PTR(&mp_type_SystemExit));
}

static void run(const thread_call_t *call) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t thread = handle_thread(call->handle);
        if (thread != MP_OBJ_NULL) {
            threading_run(thread);
        } else {
            mp_call_function_n_kw(call->function, call->n_args, call->n_kw, call->args);
        }
        nlr_pop();
    } else if (!is_system_exit(nlr.ret_val)) {
        print_exception(call->function, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
}

static void thread_task(void *argument) {
    thread_t *self = argument;
    gil_enter_first(self);
    for (;;) {
        run(self->call);
        mp_obj_t handle = self->call->handle;
        self->call = NULL;
        list_remove(self);
        self->next = pool;
        pool = self;
        if (handle != MP_OBJ_NULL) {
            handle_end(handle);
        }
        if (shutting_down) {
            gil_wake(&thread_main); // which waits for it
        }
        gil_finish(self);
    }
}

// A finished thread with that stack size and core, or NULL.
static thread_t *pool_take(size_t stack_size, int core) {
    for (thread_t **link = &pool; *link != NULL; link = &(*link)->next) {
        thread_t *thread = *link;
        if (thread->stack->size == stack_size && thread->stack->core == core) {
            *link = thread->next;
            return thread;
        }
    }
    return NULL;
}

static void thread_delete(thread_t *thread) {
    kernel_delete(thread->task);
    gil_forget(thread);
    thread_stack_t *stack = thread->stack;
    memset(thread, 0, sizeof(*thread)); // a stale pointer to it must not keep alive what it was linked with
    stack_free(stack);
}

static void pool_empty(void) {
    while (pool != NULL) {
        thread_t *thread = pool;
        pool = thread->next;
        thread_delete(thread);
    }
}

#if KERNEL_HAS_HEAP

// The record must be where the stack may be, too: it lies above.
static thread_t *record_new(size_t stack_size) {
    thread_stack_t *stack = stack_new(stack_size + sizeof(thread_t));
    stack->size = stack_size;
    thread_t *thread = (thread_t *)((uint8_t *)stack + stack_size);
    memset(thread, 0, sizeof(*thread));
    thread->stack = stack;
    return thread;
}

#else

// The record is a block of the heap: an overflowing stack does not destroy it.
static thread_t *record_new(size_t stack_size) {
    thread_t *thread = m_new0(thread_t, 1);
    thread->stack = stack_new(stack_size);
    return thread;
}

#endif

static thread_t *thread_new(size_t stack_size, int core) {
    thread_t *thread = record_new(stack_size);
    thread_stack_t *stack = thread->stack;
    stack->guard = STACK_GUARD;
    stack->core = (int8_t)core;
    thread->status = THREAD_FINISHED;
    uint8_t *bottom = (uint8_t *)stack->words + KERNEL_STACK_OFFSET;
    thread->task = kernel_create(thread_task, thread, bottom, (uint8_t *)stack + stack->size - bottom, &thread->tcb, core);
    return thread;
}

static void init_state(mp_state_thread_t *ts, thread_stack_t *stack) {
    memset(ts, 0, sizeof(*ts));
    ts->stack_top = (char *)stack + stack->size;
    #if MICROPY_STACK_CHECK
    ts->stack_limit = stack->size - sizeof(*stack) - KERNEL_STACK_OFFSET - MODTHREAD_STACK_MARGIN;
    #endif
    ts->dict_locals = mp_locals_get();
    ts->dict_globals = mp_globals_get();
}

static bool ident_in_use(uint32_t ident) {
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        if (thread->ident == ident) {
            return true;
        }
    }
    return false;
}

static uint32_t next_ident(void) {
    do {
        last_ident = last_ident >= MODTHREAD_GUEST_IDENT - 1 ? MODTHREAD_MAIN_IDENT + 1 : last_ident + 1;
    } while (ident_in_use(last_ident));
    return last_ident;
}

uint32_t thread_start(thread_call_t *call, int core) {
    if (shutting_down) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("can't start new thread"));
    }
    size_t stack_size = thread_stack_size == 0 ? MODTHREAD_STACK_SIZE_DEFAULT : thread_stack_size;
    stack_size = STACK_ROUND_UP(stack_size + MODTHREAD_STACK_EXTRA);
    thread_t *thread = pool_take(stack_size, core);
    if (thread == NULL) {
        if (!MP_STATE_MEM(gc_auto_collect_enabled)) {
            pool_empty(); // no collection does it when there is no room
        }
        thread = thread_new(stack_size, core);
    }
    init_state(&thread->state, thread->stack);
    thread->call = call;
    thread->ident = next_ident();
    thread->stack_pointer = NULL; // of who has had the stack before
    TRACE_NAME(thread, call->function);
    list_add(thread);
    gil_start(thread);
    return thread->ident;
}

/******************************************************************************/
// A task that is none of ours. Until it leaves it does not give up the GIL: nothing has to know of its stack.

#if MODTHREAD_GUESTS

void mp_thread_enter_guest(void *stack_top, size_t stack_size) {
    guest.task = kernel_current_task();
    guest.ident = MODTHREAD_GUEST_IDENT;
    gil_acquire();
    mp_state_thread_t *ts = &mp_state_ctx.thread;
    memset(ts, 0, sizeof(*ts));
    ts->stack_top = stack_top;
    #if MICROPY_STACK_CHECK
    ts->stack_limit = stack_size - MODTHREAD_STACK_MARGIN;
    #endif
    ts->dict_locals = thread_main.state.dict_locals;
    ts->dict_globals = thread_main.state.dict_globals;
}

void mp_thread_leave_guest(void) {
    gil_leave(&guest);
    guest.task = NULL;
}

#endif

/******************************************************************************/
// What a port's main program calls

// What the next program finds. A port may call mp_thread_init_main() before the first one only.
static void set_defaults(void) {
    describe_reset();
    threading_reset();
    future_reset();
    last_ident = MODTHREAD_MAIN_IDENT;
    thread_stack_size = 0;
    gil_switch_interval_us = GIL_SWITCH_INTERVAL_DEFAULT_US;
    shutting_down = false;
    file_system_reset();
    import_reset();
    event_loop_reset();
    scheduler_reset();
    TRACE_CLEAR();
}

void mp_thread_init_main(void *stack) {
    thread_main.task = kernel_current_task();
    thread_main.ident = MODTHREAD_MAIN_IDENT;
    thread_main.status = THREAD_RUNNING;
    thread_main.stack = (thread_stack_t *)((uint8_t *)stack + KERNEL_STACK_OFFSET); // above the kernel's pattern
    thread_main.stack->guard = STACK_GUARD;
    thread_list = &thread_main;
    set_defaults();
    gil_init();
}

int mp_thread_run_repl(int (*repl)(void)) {
    static nlr_buf_t nlr; // not on the stack, so that it takes nothing from how deep a program recurses
    if (nlr_push(&nlr) == 0) {
        int result = repl();
        nlr_pop();
        return thread_program_ended(result);
    }
    if (is_system_exit(nlr.ret_val)) {
        return thread_program_ended(PYEXEC_FORCED_EXIT);
    }
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    return 0;
}

static void ask_to_leave(thread_t *thread) {
    thread->looks = 0;
    if (gil_state_of(thread)->mp_pending_exception == MP_OBJ_NULL) {
        scheduler_raise(thread, mp_obj_new_exception(&mp_type_SystemExit));
    }
}

static void ask_all_to_leave(void) {
    for (thread_t *thread = thread_list; thread != &thread_main; thread = thread->next) {
        ask_to_leave(thread);
    }
}

static void ask_again_who_waits(void) {
    for (thread_t *thread = thread_list; thread != &thread_main; thread = thread->next) {
        if (thread->status != THREAD_WAITING || thread->waits != thread->looked_at) {
            thread->looked_at = thread->waits;
            thread->looks = 0;
        } else if (++thread->looks == LOOKS_UNTIL_ASKED) {
            ask_to_leave(thread);
        }
    }
}

#ifdef MODTHREAD_FORGET_WAITING
void MODTHREAD_FORGET_WAITING(void); // where others write to the stack of one that waits: of the port
#endif

static bool may_still_leave(uint32_t waited_us) {
    #ifdef MODTHREAD_OUTSIDE_LEAVE_US // where others write to the stack of one that is outside, as lwIP's task does
    for (thread_t *thread = thread_list; thread != &thread_main; thread = thread->next) {
        if (thread->status == THREAD_OUTSIDE && waited_us < MODTHREAD_OUTSIDE_LEAVE_US) {
            return true;
        }
    }
    #endif
    return thread_list != &thread_main && waited_us < LEAVE_US;
}

void mp_thread_deinit(void) {
    shutting_down = true;
    ask_all_to_leave();
    uint32_t start = mp_hal_ticks_us();
    uint32_t look = start;
    while (may_still_leave((uint32_t)mp_hal_ticks_us() - start)) {
        gil_park(deadline_after_us(LOOK_US)); // a thread that ends, or a callback for later, ends it before
        if ((uint32_t)mp_hal_ticks_us() - look >= LOOK_US) {
            look = mp_hal_ticks_us();
            ask_again_who_waits();
        }
    }
    lock_reset(); // before an interrupt can release a lock for which a deleted thread waits
    #ifdef MODTHREAD_FORGET_WAITING
    MODTHREAD_FORGET_WAITING();
    #endif
    while (thread_list != &thread_main) {
        doomed = thread_list;
        list_remove(doomed);
        thread_delete(doomed);
        doomed = NULL;
    }
    pool_empty();
    set_defaults();
}

int thread_program_ended(int result) {
    if (result & PYEXEC_FORCED_EXIT) {
        mp_thread_deinit();
    }
    return result;
}

uint32_t mp_thread_ident_of_task(const void *task) {
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        if (thread->task == task) {
            return thread->ident;
        }
    }
    return 0;
}

/******************************************************************************/
// Garbage collection

// Mark a block without looking for pointers in it: trace() knows where they are.
// Two bits for each block, 1 for the head of an unmarked one and 3 for that of a marked one (py/gc.c).
static void mark_only(const void *block) {
    mp_state_mem_area_t *area = &MP_STATE_MEM(area);
    #if MICROPY_GC_SPLIT_HEAP
    while ((const uint8_t *)block < area->gc_pool_start || (const uint8_t *)block >= area->gc_pool_end) {
        area = area->next;
    }
    #endif
    size_t index = ((const uint8_t *)block - area->gc_pool_start) / MICROPY_BYTES_PER_GC_BLOCK;
    area->gc_alloc_table_start[index / 4] |= 3 << (2 * (index % 4));
}

static void trace(thread_t *thread) {
    bool outside = thread->status == THREAD_OUTSIDE; // before the stack's end is read: it may come back at any time
    mp_state_thread_t *ts = &thread->state;
    gc_collect_root((void **)&ts->dict_locals, (sizeof(*ts) - offsetof(mp_state_thread_t, dict_locals)) / sizeof(void *));
    if (outside && MODTHREAD_OUTSIDE_USES_WHOLE_STACK) {
        gc_collect_root((void **)thread->stack, (void **)ts->stack_top - (void **)thread->stack);
    } else if (thread->stack_pointer != NULL) {
        gc_collect_root(thread->stack_pointer, ((void **)ts->stack_top - (void **)thread->stack_pointer));
    }
    if (outside) {
        gc_collect_root((void **)thread->stack->words, sizeof(gc_helper_regs_t) / sizeof(void *));
    }
}

void mp_thread_gc_others(void) {
    pool_empty();
    for (thread_t *thread = thread_list; thread != &thread_main; thread = thread->next) {
        #if !KERNEL_HAS_HEAP
        mark_only(thread);
        #endif
        if (thread->stack->in_heap) {
            mark_only(thread->stack);
        }
    }
    for (thread_t *thread = thread_list; thread != NULL; thread = thread->next) {
        gc_collect_root((void **)&thread->call, 1);
        if (thread != gil_current) {
            trace(thread);
        }
    }
}
