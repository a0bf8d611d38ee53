// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The model of a kernel; see modthread/kernel.h. Its tasks are coroutines, and the search says at each point which goes on.

#ifndef MODTHREAD_KERNEL_MODEL_H
#define MODTHREAD_KERNEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MODEL_CORES
#define MODEL_CORES (1)
#endif

typedef uint32_t TickType_t;
typedef void (*TaskFunction_t)(void *argument);

typedef enum {
    TASK_READY,
    TASK_RUNNING,
    TASK_BLOCKED,
} task_state_t;

typedef struct _model_task_t {
    uint32_t alive; // TASK_ALIVE until it is deleted
    task_state_t state;
    bool given; // its semaphore
    bool timed; // a wait that ends at wake_at
    bool waits_for_end; // the main task, when the scenario is over
    TickType_t wake_at;
    int core; // where it may run, or KERNEL_ANY_CORE
    int number; // of those that were created, from 0
    void *sp; // while it does not run
    void *stack;
    size_t stack_size;
    TaskFunction_t entry;
    void *argument;
    struct _model_task_t *next; // among all
} StaticTask_t, *TaskHandle_t;

#define KERNEL_NAME "model"
#define KERNEL_TICK_HZ (1000)
#define KERNEL_FOREVER (UINT32_MAX)
#define KERNEL_CORES (MODEL_CORES)
#define KERNEL_HAS_HEAP (0)
#define KERNEL_STACK_OFFSET (0)

#endif // MODTHREAD_KERNEL_MODEL_H
