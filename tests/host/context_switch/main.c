// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Self-test of ports/rp2/freertos_v9 and ports/cortex_m. Eight tasks hold distinct values in all registers, also in those
// of a floating-point unit, while an interrupt has another of them run after a random number of cycles; so it comes at
// every instruction sooner or later. A task of a higher priority watches, and ends one task after the other and starts it
// anew. Then the tick. Prints what it has seen, and why it stopped. In the end a task's function returns, which the port
// has to notice, or does what the processor refuses.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "FreeRTOS.h"
#include "task.h"

#include "ports/cortex_m/fault.h"
#include "ports/cortex_m/guard.h"

#include "endings.h"
#include "machine.h"
#include "registers.h"

#define ICSR (*(volatile uint32_t *)0xe000ed04)
#define ICSR_PENDSVSET (1u << 28)

#define CONTROL_PROCESS_STACK (2)

#define HOLDERS (8)
#define HOLDER_PRIORITY (1)
#define OBSERVER_PRIORITY (2)
#if __ARM_FP
#define STACK_WORDS (256)
#define FPSCR_ROUNDING(mode) ((mode) << 22)
#define FPSCR_FLAGS (0xf0000000)
#else
#define STACK_WORDS (192)
#endif

typedef struct _holder_t {
    registers_t before;
    registers_t expected;
    registers_t after;
    uint32_t sp_before;
    volatile uint32_t rounds;
    TaskHandle_t task;
    StaticTask_t tcb;
    StackType_t stack[STACK_WORDS] __attribute__((aligned(8)));
} holder_t;

void *volatile observer;
void *volatile switched_out;
volatile uint32_t preemptions;

const guarded_stack_t guarded_stacks[] = { { NULL, NULL } }; // none

static holder_t holders[HOLDERS];
static volatile uint32_t rounds; // of all
static bool finished; // but for a task that must not return
static bool interrupted[1024]; // the halfwords of hold_registers()

static void vprint(const char *format, va_list arguments) {
    static char text[128];
    vsnprintf(text, sizeof(text), format, arguments);
    machine_print(text);
}

static void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
}

void stop(const char *why) {
    portDISABLE_INTERRUPTS();
    print("%s: %s\n", finished ? "passed" : "failed", why);
    machine_stop();
}

void check(bool good, const char *what) {
    if (!good) {
        stop(what);
    }
}

/******************************************************************************/
// Interrupts

static uint32_t random_number(void) {
    static uint32_t random = 1;
    random = random * 1664525 + 1013904223;
    return random >> 8;
}

// Enough for a switch, and for some of the task's instructions.
static void choose_period(void) {
    machine_set_period(300 + random_number() % 256);
}

static void choose_alarm(void) {
    machine_set_alarm(2500 + random_number() % 8000);
}

// As the handler of a driver that computes.
static void compute(void) {
    #if __ARM_FP
    disturb_floats(random_number());
    #endif
}

static bool switch_is_pending(void) {
    return (ICSR & ICSR_PENDSVSET) != 0;
}

// An interrupt is served to its end, and on a stack that is aligned: this function calls others.
static void switch_tasks(BaseType_t wanted) {
    uint32_t msp;
    __asm volatile ("mrs %0, msp" : "=r" (msp));
    check(msp % 8 == 0, "the stack of interrupts is not aligned");
    portYIELD_FROM_ISR(wanted);
    check(!wanted || switch_is_pending(), "an interrupt was interrupted by a switch");
}

// The task's registers are on its stack: the address of the instruction at which it will go on is the seventh.
void slice_handler(void) {
    uint32_t *frame;
    __asm volatile ("mrs %0, psp" : "=r" (frame));
    const uint16_t *next = (uint16_t *)frame[6];
    if (hold_registers_begin <= next && next < hold_registers_end) {
        interrupted[next - hold_registers_begin] = true;
    }
    check((uintptr_t)frame % 8 == 0, "what an interrupt pushed is not aligned");
    check(xPortIsInsideInterrupt(), "an interrupt is taken for a task");
    check(preemptions < 2 * PREEMPTIONS, "the observer does not run");
    choose_period();
    compute();
    switch_tasks(pdTRUE);
}

// Wakes the observer, also while a switch is made.
void alarm_handler(void) {
    choose_alarm();
    compute();
    BaseType_t woken = pdFALSE;
    vTaskNotifyGiveFromISR(observer, &woken);
    switch_tasks(woken);
}

static void start_interrupts(void) {
    machine_start_interrupts();
    choose_period();
    choose_alarm();
}

/******************************************************************************/
// Faults

// As in ports/rp2/crash.c.
__attribute__((naked)) void HardFault_Handler(void) {
    __asm volatile (
        "ldr r0, =fault_handler \n"
        "bx r0                  \n"
        );
}

const mp_print_t *fault_begin(void) {
    static const mp_print_t unused;
    return &unused;
}

int mp_printf(const mp_print_t *unused, const char *format, ...) {
    (void)unused;
    va_list arguments;
    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
    return 0;
}

void fault_end(void) {
    stop("fault");
}

void fault_print_task(const mp_print_t *unused) {
    (void)unused;
    print("task %s", pcTaskGetName(NULL));
}

/******************************************************************************/
// Tasks that hold registers

static bool masked(void) {
    uint32_t primask;
    __asm volatile ("mrs %0, primask" : "=r" (primask));
    return primask != 0;
}

// As the first task's function and any other's is called.
static void check_start(void) {
    uint32_t control;
    __asm volatile ("mrs %0, control" : "=r" (control));
    check(control == CONTROL_PROCESS_STACK, "a task does not run on the process stack");
    check(!masked(), "a task starts with interrupts masked");
    check(!xPortIsInsideInterrupt(), "a task is taken for an interrupt");
}

static void prepare(holder_t *holder) {
    uint32_t *value = (uint32_t *)&holder->before;
    for (size_t i = 0; i < sizeof(registers_t) / sizeof(uint32_t); i++) {
        value[i] = 0x01010101 * (16 * (holder - holders) + i + 1);
    }
    holder->before.flags = 0;
    #if __ARM_FP
    for (size_t i = 0; i < 32; i++) {
        holder->before.s0_to_s31[i] = 1 + (32 * (holder - holders) + i) / 256.0f;
    }
    holder->before.fpscr = FPSCR_ROUNDING((holder - holders) % 4);
    #endif
    hold_registers(&holder->before, &holder->expected, &holder->sp_before);
}

static void compare(holder_t *holder) {
    static const char *const names[] = {
        "r8", "r9", "r10", "r11", "r12", "lr", "flags", "sp", "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7",
    };
    holder->expected.flags = holder->before.flags;
    #if __ARM_FP
    holder->expected.fpscr = (holder->expected.fpscr & ~FPSCR_FLAGS) | (holder->before.fpscr & FPSCR_FLAGS);
    #endif
    holder->expected.sp = holder->sp_before;
    if (memcmp(&holder->after, &holder->expected, sizeof(registers_t)) == 0) {
        return;
    }
    portDISABLE_INTERRUPTS();
    print("disturbed in task %d after %lu preemptions:", holder - holders, preemptions);
    for (size_t i = 0; i < sizeof(registers_t) / sizeof(uint32_t); i++) {
        if (((uint32_t *)&holder->after)[i] != ((uint32_t *)&holder->expected)[i]) {
            if (i < 16) {
                print(" %s", names[i]);
            } else {
                print(" s%u", i - 16); // s32 is FPSCR
            }
        }
    }
    print("\n");
    stop("a register was disturbed");
}

static void hold(void *argument) {
    holder_t *holder = argument;
    check_start();
    while (true) {
        holder->before.flags += 1u << 28;
        #if __ARM_FP
        holder->before.fpscr -= 1u << 28;
        #endif
        hold_registers(&holder->before, &holder->after, &holder->sp_before);
        check(holder->sp_before % 8 == 0, "a task's stack is not aligned");
        compare(holder);
        taskENTER_CRITICAL();
        holder->rounds++;
        rounds++;
        taskEXIT_CRITICAL();
    }
}

static void start_holder(holder_t *holder) {
    holder->task = xTaskCreateStatic(hold, "hold", STACK_WORDS, holder, HOLDER_PRIORITY, holder->stack, &holder->tcb);
}

/******************************************************************************/
// The observer

static void test_critical_sections(void) {
    taskENTER_CRITICAL();
    taskENTER_CRITICAL();
    uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
    taskEXIT_CRITICAL();
    check(masked(), "an inner critical section's end ended the outer one");
    taskEXIT_CRITICAL();
    check(!masked(), "interrupts stayed masked after a critical section");

    state = portSET_INTERRUPT_MASK_FROM_ISR();
    taskENTER_CRITICAL();
    taskEXIT_CRITICAL();
    check(masked(), "a critical section's end unmasked what was masked before");
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
    check(!masked(), "interrupts stayed masked");
}

static volatile bool has_run;

static void run_and_wait(void *argument) {
    (void)argument;
    has_run = true;
    vTaskSuspend(NULL);
}

static TaskHandle_t start_above_observer(TaskFunction_t function) {
    static StaticTask_t tcb;
    static StackType_t stack[STACK_WORDS] __attribute__((aligned(8)));
    return xTaskCreateStatic(function, "above", STACK_WORDS, NULL, OBSERVER_PRIORITY + 1, stack, &tcb);
}

// A switch waits for the end of a critical section, and not for the instruction after it.
static void test_switch_after_section(void) {
    taskENTER_CRITICAL();
    TaskHandle_t task = start_above_observer(run_and_wait);
    taskYIELD();
    check(!has_run, "a switch was made in a critical section");
    taskEXIT_CRITICAL();
    check(has_run, "a switch was not made at a critical section's end");
    vTaskDelete(task);
}

static void print_interrupted(void) {
    size_t instructions = 0;
    size_t count = 0;
    const uint16_t *at = hold_registers_begin;
    while (at < hold_registers_end) {
        count += interrupted[at - hold_registers_begin];
        instructions++;
        at += (*at >> 11) >= 0x1d ? 2 : 1; // Arm DDI 0419, A5.1: 32 or 16 bits
    }
    print("instructions: %u\ninterrupted: %u\n", instructions, count);
}

static void test_registers(void) {
    for (size_t i = 0; i < HOLDERS; i++) {
        start_holder(&holders[i]);
    }
    start_interrupts();
    uint32_t turns = 0; // of the observer: a task that was chosen when it came has not run
    while (preemptions - turns < PREEMPTIONS) {
        ulTaskNotifyTake(pdTRUE, 3);
        if (++turns % 16 == 0) {
            holder_t *holder = &holders[turns / 16 % HOLDERS];
            vTaskDelete(holder->task);
            start_holder(holder);
        }
    }
    machine_stop_interrupts();

    uint32_t sum = 0;
    for (size_t i = 0; i < HOLDERS; i++) {
        vTaskDelete(holders[i].task);
        check(holders[i].rounds > 0, "a task has not run");
        sum += holders[i].rounds;
    }
    check(rounds == sum, "a critical section was interrupted");
    print("preemptions: %lu\nrounds: %lu\n", preemptions - turns, sum);
    print_interrupted();
}

static void test_tick(void) {
    machine_test_tick();

    vTaskDelay(1);
    uint32_t begin = machine_time_us();
    vTaskDelay(100);
    check(machine_time_us() - begin - 99000 < 2000, "an idle board did not wake in time");
}

static void end(void *argument) {
    (void)argument;
    ENDING();
    __asm volatile (""); // it is called, and returns here
}

static void observe(void *argument) {
    check_start();
    check(argument == &observer, "the first task did not get its argument");
    observer = xTaskGetCurrentTaskHandle();
    test_critical_sections();
    test_switch_after_section();
    test_registers();
    test_tick();
    finished = true;
    start_above_observer(end);
}

/******************************************************************************/
// What the kernel and its tick ask of their application

void mp_thread_tick(void) {
}

void vApplicationGetIdleTaskMemory(StaticTask_t **tcb, StackType_t **stack, uint32_t *stack_depth) {
    static StaticTask_t idle_tcb;
    static StackType_t idle_stack[configMINIMAL_STACK_SIZE];
    *tcb = &idle_tcb;
    *stack = idle_stack;
    *stack_depth = configMINIMAL_STACK_SIZE;
}

void vApplicationStackOverflowHook(TaskHandle_t task, char *name) {
    (void)task;
    stop(name);
}

int main(void) {
    static StaticTask_t tcb;
    static StackType_t stack[512] __attribute__((aligned(8)));
    machine_start();
    for (size_t i = 0; i < HOLDERS; i++) {
        prepare(&holders[i]);
    }
    xTaskCreateStatic(observe, "observe", 512, (void *)&observer, OBSERVER_PRIORITY, stack, &tcb);
    vTaskStartScheduler();
}
