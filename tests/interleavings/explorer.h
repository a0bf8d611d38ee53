// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What the parts of the explorer know of each other. Two kinds of memory: what belongs to the explored program, which
// the search takes back to the beginning for each run; and what belongs to the search, which is in *search.

#ifndef MODTHREAD_INTERLEAVINGS_EXPLORER_H
#define MODTHREAD_INTERLEAVINGS_EXPLORER_H

#include "modthread/kernel.h"

#include "sanitizer.h"

#define MODEL_FIRST_TICK (UINT32_MAX - 1)
#define TASK_ALIVE (0x600d7a5c)
#define MAIN_STACK_SIZE (32 * 1024)
#define OTHER_STACK_SIZE (16 * 1024)
#define HEAP_SIZE (80 * 1024)

// What the program's memory is large for: kept apart, since only a part of it says what state the program is in.
#define ARENA __attribute__((section("arena"), aligned(16)))

/******************************************************************************/
// The model: a part of the explored program's state

typedef enum {
    INTERRUPT_TICK,
    INTERRUPT_CTRL_C,
    INTERRUPT_NOTIFY,
    INTERRUPT_HANDLER, // a hard handler written in Python
    INTERRUPT_CALLBACK, // schedules a callback
    INTERRUPT_KINDS,
} interrupt_t;

typedef struct _core_t {
    StaticTask_t *current;
    StaticTask_t idle;
    uint32_t lock_depth; // of kernel_lock()
    bool in_interrupt;
} core_t;

typedef struct _model_t {
    core_t cores[KERNEL_CORES];
    int active; // the core that makes the next step
    int lock_owner; // of the spinlock, or -1
    int stopper; // the core that has stopped the others, or -1
    int stop_depth;
    StaticTask_t *tasks; // without the idle ones
    TickType_t ticks;
    uint64_t alarm_us; // of the threads
    int tasks_created;
    int busy; // branches and looks at the clock since the last tick
    int left[INTERRUPT_KINDS]; // how many may come yet
    int begun[INTERRUPT_KINDS];
    int taken[INTERRUPT_KINDS]; // that are over
} model_t;

extern model_t model;

/******************************************************************************/
// Points

typedef enum {
    POINT_ACCESS, // to memory that others access too
    POINT_KERNEL,
    POINT_CLOCK,
    POINT_BRANCH,
    POINT_SLICE, // after a tick: the kernel lets tasks of one priority take turns
    POINT_BUSY, // the same, and it is another's turn
    POINT_BLOCKED,
    POINT_SPINS, // waits for another core
    POINT_IDLE,
    POINT_START, // the scenario is set up
    POINT_END,
    POINT_FAILED,
} point_t;

// Nothing happens while the scenario is set up. where is an address in the code.
void model_point(point_t kind, const void *where);

// The run has failed. Does not return.
__attribute__((noreturn)) void model_fail(const char *why);

// Give up the processor to the search, and return the interrupt that is to come now, or -1.
int search_ask(point_t kind, const void *where);

// For each access to memory: returns true if it is one of those whose order matters.
bool search_note_access(const void *address, size_t size, bool write);

void model_init(void);
void model_create_task(StaticTask_t *task, TaskFunction_t entry, void *argument, void *stack, size_t stack_size, int core);
void model_wait_for_end(void);
void model_switch(void **save, void *to);

/******************************************************************************/
// The search: not a part of the state

typedef struct _search_t {
    bool exploring; // else the scenario is set up, or over
    bool tracing;
    const char *failure;
    char output[2048]; // of the program
    char report[200]; // of AddressSanitizer, a line
    size_t output_used;
    uint64_t points; // of this run
    uint64_t next_decision; // the point at which the next one is replayed
    int budget; // of preemptions and interrupts, what is left
    bool replaying;
    void *sp; // of the controller
    point_t kind;
    const void *where;
    StaticTask_t *executing; // whose stack is in use
    int interrupt; // what search_ask() returns
} search_t;

extern search_t *search;

/******************************************************************************/
// The program: MicroPython and a scenario

extern const char *scenario_path;
extern uint8_t port_heap[HEAP_SIZE];
void port_create_main_task(void);
void port_interrupt(interrupt_t kind);

// Check what must hold whenever nobody is in a critical section.
void port_check(void);

// The bytes of the heap that are in use, from its beginning.
size_t port_heap_used(void);

// True if no thread is left but the main one.
bool port_is_over(void);

// What a deleted task had must not be used any more: true if this is a part of it.
bool port_is_deleted(const void *address, size_t size);
void port_note_deleted(const StaticTask_t *task);

// What remains when all has ended; fails if it is anything.
void port_check_end(void);

#endif // MODTHREAD_INTERLEAVINGS_EXPLORER_H
