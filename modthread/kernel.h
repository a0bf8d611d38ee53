// This file is part of modthread. SPDX-License-Identifier: MIT
//
// What modthread needs of a kernel, in one place. Each kernel provides it in a file of its own, as functions that are
// inlined where they are hot; nothing else in modthread/ calls a kernel. A firmware for another kernel names its file
// in MODTHREAD_KERNEL.
//
// A kernel runs tasks by priority, and those of one priority in turns. The words used here:
//     from a task           called by a task, which may be any
//     from an interrupt     called by an interrupt handler that kernel_lock() masks
//     in a critical section between kernel_lock() and kernel_unlock()
//     never blocks          returns without letting another task of this core run, unless an interrupt does

#ifndef MODTHREAD_KERNEL_H
#define MODTHREAD_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The name of all threads' tasks.
#define KERNEL_TASK_NAME "py"

// Where a task may run: on the core of that number, or on any.
#define KERNEL_ANY_CORE (-1)

#if defined(MODTHREAD_KERNEL)
#include MODTHREAD_KERNEL
#elif defined(ESP_PLATFORM)
#include "kernel_esp_idf.h"
#else
#include "FreeRTOS.h"
#if defined(configNUMBER_OF_CORES) && configNUMBER_OF_CORES > 1
#include "kernel_freertos_cores.h"
#else
#include "kernel_freertos.h"
#endif
#endif

// Types, named as FreeRTOS names them: TaskHandle_t, a task; StaticTask_t, the memory for one; TickType_t, an unsigned
// count of ticks that wraps; TaskFunction_t, what a task runs.
//
// Constants:
//     KERNEL_NAME           what it is, with its version; a string
//     KERNEL_TICK_HZ        ticks in a second
//     KERNEL_FOREVER        the ticks of a wait without a limit
//     KERNEL_CORES          how many cores run tasks
//     KERNEL_HAS_HEAP       1 if stacks, and what interrupts look at, must lie in memory that MicroPython's heap need
//                           not be in: then it provides kernel_malloc(), kernel_free() and kernel_can_run_in()
//     KERNEL_STACK_OFFSET   bytes at the bottom of a stack that kernel_create() is not given, for others than the kernel;
//                           0 if it keeps nothing in the lowest words of a stack

// Others look for events each 5 ms, and a tick is at least one millisecond long.
_Static_assert(KERNEL_TICK_HZ >= 200 && KERNEL_TICK_HZ <= 1000, "modthread needs 200 to 1000 ticks a second (configTICK_RATE_HZ)");
_Static_assert(sizeof(TickType_t) >= sizeof(uint32_t), "modthread needs ticks of 32 bits (FreeRTOSConfig.h)");

// Ticks for so many milliseconds, a constant.
#define KERNEL_TICKS_FROM_MS(ms) ((TickType_t)((ms) * KERNEL_TICK_HZ / 1000))

/******************************************************************************/
// Critical sections

// Enter a critical section of a few instructions: no interrupt and no other task comes between on this core, and no other
// core is in one. Nestable. Call no kernel function inside but kernel_give(). Returns what kernel_unlock() restores.
// From a task or an interrupt; never blocks, but may wait for another core's critical section.
//
// Both are barriers: no access to memory moves out of a critical section, neither by the compiler nor by the processor,
// and a core that enters one sees all that was written before another core left its own.
uint32_t kernel_lock(void);
void kernel_unlock(uint32_t state);

// True where a wait would never end: the interpreter has switched interrupts off (machine.disable_irq()).
// From a task or an interrupt; never blocks.
bool kernel_interrupts_disabled(void);

// True in an interrupt. From a task or an interrupt; never blocks.
bool kernel_in_interrupt(void);

/******************************************************************************/
// The semaphore that each task has: binary, not given in the beginning

// Give a task's semaphore; nothing changes if it is given already. A task that waits for it becomes ready, and does not
// run before the critical section ends. In a critical section, from a task or an interrupt; never blocks.
// A task that is given its semaphore in the critical section in which it becomes ready cannot be deleted before.
void kernel_give(TaskHandle_t task);

// Take the calling task's semaphore, waiting for at most that many ticks. A wait of n ticks lasts n-1 to n of them. May
// return without it. From a task, not in a critical section; blocks.
void kernel_take(TickType_t ticks);

/******************************************************************************/
// Tasks and time

// Ticks since the kernel started. From a task, not in a critical section; never blocks.
TickType_t kernel_ticks(void);

// The task that calls, or that the calling interrupt has interrupted. From a task or an interrupt; never blocks.
TaskHandle_t kernel_current_task(void);

// The core that calls. From a task that is in a critical section or cannot change its core, or an interrupt; never blocks.
int kernel_current_core(void);

// The name that a task was created with. From a task or an interrupt; never blocks.
const char *kernel_task_name(TaskHandle_t task);

// Create a task of the threads' priority, which calls entry(argument) and never returns from it. stack is the lowest
// address of its stack, whose size is in bytes; both it and tcb are the task's until kernel_delete().
// From a task, not in a critical section; never blocks.
TaskHandle_t kernel_create(TaskFunction_t entry, void *argument, void *stack, size_t stack_size, StaticTask_t *tcb, int core);

// Delete another task. When this returns the kernel never touches its stack or TCB again.
// From a task, not in a critical section; never blocks, but may wait until another core has left the task.
void kernel_delete(TaskHandle_t task);

#if KERNEL_HAS_HEAP

// Allocate memory for a stack and a TCB; NULL if there is none. From a task, not in a critical section; never blocks.
void *kernel_malloc(size_t size);
void kernel_free(void *block);

// True if a block of another heap would do. From a task or an interrupt; never blocks.
bool kernel_can_run_in(const void *block);

#endif

#endif // MODTHREAD_KERNEL_H
