// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The model kernel's side of the explored program: it runs on the tasks' own stacks.

#include <string.h>

#include "modthread/mpthreadport.h"

#include "explorer.h"

// A program that computes, or waits busily for the clock, goes on: a tick comes at the latest after so many branches and
// looks at the clock.
#define BUSY_MAX (50)
#define POINTS_MAX (400000)

model_t model;
static uint8_t idle_stacks[KERNEL_CORES][OTHER_STACK_SIZE] ARENA;

static core_t *this_core(void) {
    return &model.cores[model.active];
}

/******************************************************************************/
// Coroutines

// What a call must keep goes upon the stack, and the stack is another one.
__asm(
    ".globl model_switch\n"
    "model_switch:\n"
    "    pushq %rbp\n"
    "    pushq %rbx\n"
    "    pushq %r12\n"
    "    pushq %r13\n"
    "    pushq %r14\n"
    "    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n"
    "    popq %r14\n"
    "    popq %r13\n"
    "    popq %r12\n"
    "    popq %rbx\n"
    "    popq %rbp\n"
    "    ret\n");

static void task_begin(void) {
    sanitizer_enter_task();
    StaticTask_t *self = search->executing;
    self->entry(self->argument);
    model_fail("a task has returned");
}

void model_create_task(StaticTask_t *task, TaskFunction_t entry, void *argument, void *stack, size_t stack_size, int core) {
    memset(task, 0, sizeof(*task));
    task->alive = TASK_ALIVE;
    task->state = TASK_READY;
    task->core = core;
    task->entry = entry;
    task->argument = argument;
    task->stack = stack;
    task->stack_size = stack_size;
    uintptr_t *sp = (uintptr_t *)(((uintptr_t)stack + stack_size) & ~(uintptr_t)15);
    memset(sp - 8, 0, 8 * sizeof(*sp));
    sp[-2] = (uintptr_t)task_begin;
    task->sp = sp - 8;
}

/******************************************************************************/
// Interrupts

static void take_interrupt(interrupt_t kind) {
    core_t *core = this_core();
    core->in_interrupt = true;
    if (kind == INTERRUPT_TICK) {
        model.ticks++;
        model.busy = 0;
        for (StaticTask_t *task = model.tasks; task != NULL; task = task->next) {
            if (task->state == TASK_BLOCKED && task->timed && task->wake_at == model.ticks) {
                task->state = TASK_READY;
            }
        }
        mp_thread_tick();
        mp_thread_alarm();
    } else {
        // What an event tells of is there before; the others have come when they are over.
        model.begun[kind]++;
        model.taken[kind] += kind == INTERRUPT_NOTIFY;
        port_interrupt(kind);
        model.taken[kind] += kind != INTERRUPT_NOTIFY;
    }
    core->in_interrupt = false;
}

static void idle(void *unused) {
    (void)unused;
    for (;;) {
        if (search->interrupt >= 0) {
            take_interrupt(search->interrupt);
        }
        search_ask(POINT_IDLE, NULL);
    }
}

void model_init(void) {
    model.lock_owner = -1;
    model.stopper = -1;
    model.ticks = MODEL_FIRST_TICK; // all clocks wrap soon
    model.alarm_us = UINT64_MAX;
    for (int i = 0; i < KERNEL_CORES; i++) {
        core_t *core = &model.cores[i];
        model_create_task(&core->idle, idle, NULL, idle_stacks[i], sizeof(idle_stacks[i]), i);
        core->idle.number = -1;
        core->current = &core->idle;
    }
}

void model_point(point_t kind, const void *where) {
    if (!search->exploring) {
        return;
    }
    const char *report = sanitizer_report();
    if (report != NULL) {
        model_fail(report);
    }
    for (;;) {
        core_t *core = this_core();
        bool masked = core->lock_depth != 0 || core->in_interrupt;
        uint64_t point = search->points++;
        if (point > POINTS_MAX) {
            model_fail("the program does not come to an end");
        }
        if (masked && KERNEL_CORES == 1) {
            return;
        }
        int interrupt = -1;
        point_t turn = POINT_SLICE;
        model.busy += kind == POINT_BRANCH || kind == POINT_CLOCK;
        if (model.busy > BUSY_MAX && !masked) {
            interrupt = INTERRUPT_TICK;
            turn = POINT_BUSY;
        } else if (search->tracing || (search->replaying ? point == search->next_decision : search->budget > 0)) {
            interrupt = search_ask(kind, where);
        }
        if (interrupt < 0) {
            return;
        }
        take_interrupt(interrupt);
        if (interrupt == INTERRUPT_TICK) {
            search_ask(turn, where);
        }
    }
}

// Each tick looks whether it has come; here, that somebody waits for one.
void mp_thread_set_alarm(uint64_t us) {
    model.alarm_us = us;
}

/******************************************************************************/
// The contract

#define WHERE __builtin_return_address(0)

uint32_t kernel_lock(void) {
    core_t *core = this_core();
    if (core->lock_depth == 0) {
        model_point(POINT_KERNEL, WHERE);
        core = this_core(); // the task may have moved
        core->lock_depth = 1;
        while (model.lock_owner >= 0 && model.lock_owner != model.active) {
            search_ask(POINT_SPINS, WHERE);
        }
        model.lock_owner = model.active;
        return 0;
    }
    return core->lock_depth++;
}

void kernel_unlock(uint32_t state) {
    core_t *core = this_core();
    if (core->lock_depth != state + 1) {
        model_fail("kernel_unlock() does not restore what kernel_lock() has returned");
    }
    core->lock_depth = state;
    if (state == 0) {
        model.lock_owner = -1;
    }
}

bool kernel_interrupts_disabled(void) {
    return false;
}

bool kernel_in_interrupt(void) {
    return this_core()->in_interrupt;
}

void kernel_give(TaskHandle_t task) {
    if (this_core()->lock_depth == 0) {
        model_fail("kernel_give() outside of a critical section");
    }
    if (task == NULL || task->alive != TASK_ALIVE) {
        model_fail("kernel_give() to a task that is deleted");
    }
    if (task->state == TASK_BLOCKED && !task->waits_for_end) {
        task->state = TASK_READY;
    }
    task->given = true;
}

// A kernel function that a task calls.
static void enter(const void *where) {
    if (this_core()->lock_depth != 0) {
        model_fail("a kernel function is called in a critical section");
    }
    model_point(POINT_KERNEL, where);
}

void kernel_take(TickType_t ticks) {
    enter(WHERE);
    core_t *core = this_core();
    if (core->in_interrupt) {
        model_fail("kernel_take() in an interrupt");
    }
    StaticTask_t *self = core->current;
    if (!self->given && ticks != 0) {
        self->state = TASK_BLOCKED;
        self->timed = ticks != KERNEL_FOREVER;
        self->wake_at = model.ticks + ticks;
        search_ask(POINT_BLOCKED, WHERE);
    }
    self->given = false;
}

void model_wait_for_end(void) {
    StaticTask_t *self = this_core()->current;
    self->waits_for_end = true;
    self->timed = false;
    self->state = TASK_BLOCKED;
    search_ask(POINT_BLOCKED, WHERE);
    self->waits_for_end = false;
}

TickType_t kernel_ticks(void) {
    enter(WHERE);
    return model.ticks;
}

TaskHandle_t kernel_current_task(void) {
    return this_core()->current;
}

int kernel_current_core(void) {
    return model.active;
}

const char *kernel_task_name(TaskHandle_t task) {
    (void)task;
    return KERNEL_TASK_NAME;
}

TaskHandle_t kernel_create(TaskFunction_t entry, void *argument, void *stack, size_t stack_size, StaticTask_t *tcb, int core) {
    enter(WHERE);
    model_create_task(tcb, entry, argument, stack, stack_size, core);
    tcb->number = ++model.tasks_created;
    tcb->next = model.tasks;
    model.tasks = tcb;
    return tcb;
}

// What the kernel and nobody else has of a task is destroyed.
void kernel_delete(TaskHandle_t task) {
    enter(WHERE);
    if (task->alive != TASK_ALIVE || task == this_core()->current) {
        model_fail("kernel_delete() of a task that is deleted, or of itself");
    }
    for (int i = 0; i < KERNEL_CORES; i++) {
        core_t *core = &model.cores[i];
        while (core->current == task && (core->lock_depth != 0 || core->in_interrupt)) {
            search_ask(POINT_SPINS, WHERE);
        }
        if (core->current == task) {
            core->current = &core->idle;
            core->idle.state = TASK_RUNNING;
        }
    }
    StaticTask_t **link = &model.tasks;
    while (*link != task) {
        link = &(*link)->next;
    }
    *link = task->next;
    port_note_deleted(task);
    memset(task->stack, 0xdb, task->stack_size);
    memset(task, 0xdb, sizeof(*task));
}

#if KERNEL_CORES > 1

static bool others_are_masked(void) {
    for (int i = 0; i < KERNEL_CORES; i++) {
        core_t *core = &model.cores[i];
        if (i != model.active && (core->lock_depth != 0 || core->in_interrupt)) {
            return true;
        }
    }
    return false;
}

void mp_thread_stop_others(void) {
    if (model.stopper != model.active) {
        while (others_are_masked() || model.stopper >= 0) {
            search_ask(POINT_SPINS, WHERE);
        }
        model.stopper = model.active;
    }
    model.stop_depth++;
}

void mp_thread_continue_others(void) {
    if (--model.stop_depth == 0) {
        model.stopper = -1;
    }
}

#endif

/******************************************************************************/
// What the compiler's instrumentation for threads calls

static void access(const void *address, size_t size, bool write, const void *where) {
    if (!search->exploring) {
        return;
    }
    if (port_is_deleted(address, size)) {
        model_fail("memory of a deleted thread is used");
    }
    bool replayed = search->replaying && search->points == search->next_decision;
    if (search_note_access(address, size, write) || replayed) {
        model_point(POINT_ACCESS, where);
    } else {
        search->points++; // so that a point has its number whether or not others are points
    }
}

#define ACCESS(size) \
    void __tsan_read##size(void *address) { access(address, size, false, WHERE); } \
    void __tsan_write##size(void *address) { access(address, size, true, WHERE); } \
    void __tsan_unaligned_read##size(void *address) { access(address, size, false, WHERE); } \
    void __tsan_unaligned_write##size(void *address) { access(address, size, true, WHERE); } \

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __tsan_read_range(void *address, size_t size) {
    access(address, size, false, WHERE);
}

void __tsan_write_range(void *address, size_t size) {
    access(address, size, true, WHERE);
}

void __tsan_init(void) {
}

void __tsan_func_entry(void *caller) {
    (void)caller;
}

void __tsan_func_exit(void) {
}
