// This file is part of modthread. SPDX-License-Identifier: MIT
//
// A Python thread: its record, how it starts and ends, and what the garbage collector must know of it.

#ifndef MODTHREAD_THREAD_H
#define MODTHREAD_THREAD_H

#include "py/mpstate.h"
#include "py/obj.h"

#include "deadline.h"
#include "kernel.h"
#include "stack.h"
#include "trace.h"

#define MODTHREAD_STACK_SIZE_MIN (4096)
#ifndef MODTHREAD_STACK_SIZE_DEFAULT
#define MODTHREAD_STACK_SIZE_DEFAULT (4096)
#endif

// What a stack gets beyond what was asked for, where that margin takes more than users reckon with.
#ifndef MODTHREAD_STACK_EXTRA
#define MODTHREAD_STACK_EXTRA (0)
#endif

// 1 where what a thread had in registers when it released the GIL may go to anywhere on its stack afterwards.
#ifndef MODTHREAD_OUTSIDE_USES_WHOLE_STACK
#define MODTHREAD_OUTSIDE_USES_WHOLE_STACK (0)
#endif

#define MODTHREAD_MAIN_IDENT (1)
#define MODTHREAD_GUEST_IDENT MP_SMALL_INT_MAX

typedef enum {
    THREAD_RUNNING, // holds the GIL
    THREAD_READY, // in one of the GIL's queues
    THREAD_WAITING, // parked until somebody wakes it or its time is up
    THREAD_OUTSIDE, // runs C code that has released the GIL
    THREAD_FINISHED, // parked until its task is used again or deleted
} thread_status_t;

// The function that a thread calls, with its arguments; one GC block.
typedef struct _thread_call_t {
    mp_obj_t function;
    mp_obj_t handle; // that others join the thread by, or MP_OBJ_NULL
    uint16_t n_args;
    uint16_t n_kw;
    mp_obj_t args[];
} thread_call_t;

// Aligned as words are: to 8 bytes it would make each record larger.
typedef deadline_t thread_deadline_t __attribute__((aligned(4)));

typedef struct _thread_t {
    StaticTask_t tcb;
    TaskHandle_t task;
    mp_state_thread_t state; // MicroPython's own, valid while another thread's is in mp_state_ctx.thread
    union {
        struct {
            struct _thread_t *next_ready; // in a queue of the GIL
            uint32_t slice_us; // how much of its time slice it has used
        };
        thread_deadline_t deadline; // while THREAD_WAITING
    };
    struct _thread_t *next; // among all live threads, or in the pool of finished ones
    thread_stack_t *stack; // while THREAD_OUTSIDE its words begin with registers
    void *stack_pointer; // from here upwards the stack is in use; valid while not running
    thread_call_t *call;
    struct _mp_obj_thread_lock_t *waits_for; // until it has it, or an exception ends the wait; NULL otherwise
    uint32_t ident;
    volatile uint8_t status; // a thread_status_t
    bool woken; // comes from a wait rather than from computing
    bool awaits_event; // waits in mp_event_wait_ms()
    bool event_came; // since it last looked for one
    uint8_t waits; // how often it has begun to wait; wraps
    uint8_t looked_at; // by a soft reset: its last wait, and how often that was found
    uint8_t looks;
    #if MODTHREAD_TRACE
    trace_thread_t trace;
    #endif
} thread_t;

extern thread_t thread_main;

// All live threads, the main one last. Change the list in a critical section only.
extern thread_t *thread_list;

// For the threads that start next; 0 is the default, and a soft reset goes back to it.
extern size_t thread_stack_size;

// The calling task's thread, or NULL if it is none; needs no GIL.
thread_t *thread_self(void);

// Where a thread runs if nobody says.
#ifndef MODTHREAD_CORE_DEFAULT
#define MODTHREAD_CORE_DEFAULT KERNEL_ANY_CORE
#endif

// Start a thread that makes the call on a core that exists, or KERNEL_ANY_CORE; returns its identifier. Needs the GIL.
// Raises MemoryError, or RuntimeError while the interpreter shuts down; then nothing remains of it.
uint32_t thread_start(thread_call_t *call, int core);

// Return what a function of shared/runtime/pyexec.h has returned to main(). If a soft reset begins with that, end every other
// thread before: they may still start anything that the reset ends. main() runs Python by those functions only.
int thread_program_ended(int result);

// Restart the board if the thread's stack has overflowed.
static inline void thread_check_stack(const thread_t *thread) {
    if (thread->stack->guard != STACK_GUARD) {
        mp_thread_stack_overflow(thread->ident);
    }
}

#endif // MODTHREAD_THREAD_H
