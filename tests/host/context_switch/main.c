// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Self-test of ports/rp2/freertos_v9. Eight tasks hold distinct values in all registers while an interrupt has another
// of them run after a random number of cycles; so it comes at every instruction sooner or later. A task of a higher priority watches, and ends one task after the other and starts it anew. Then the tick.
// Prints on the UART what it has seen, and why it stopped. In the end a task's function returns, which the port has to
// notice.

#include <stdio.h>
#include <string.h>

#include "hardware/irq.h"
#include "hardware/pwm.h"
#include "hardware/sync.h"
#include "hardware/timer.h"
#include "pico/stdlib.h"

#include "FreeRTOS.h"
#include "task.h"

#include "registers.h"

#define SLICE (0) // of the PWM: interrupts when its period ends
#define ALARM (1)

#define HOLDERS (8)
#define HOLDER_PRIORITY (1)
#define OBSERVER_PRIORITY (2)
#define STACK_WORDS (192)

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

static holder_t holders[HOLDERS];
static volatile uint32_t rounds; // of all
static bool finished; // but for a task that must not return
static bool interrupted[512]; // the halfwords of hold_registers()

void stop(const char *why) {
    save_and_disable_interrupts();
    printf("%s: %s\n", finished ? "passed" : "failed", why);
    while (true) {
    }
}

static void check(bool good, const char *what) {
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

// How many cycles the period after this one lasts: enough for a switch, and for some of the task's instructions.
static void choose_period(void) {
    pwm_set_wrap(SLICE, 300 + random_number() % 256);
}

// The task's registers are on its stack: the address of the instruction at which it will go on is the seventh.
static void period_handler(void) {
    pwm_clear_irq(SLICE);
    uint32_t *frame;
    __asm volatile ("mrs %0, psp" : "=r" (frame));
    const uint16_t *next = (uint16_t *)frame[6];
    if (hold_registers_begin <= next && next < hold_registers_end) {
        interrupted[next - hold_registers_begin] = true;
    }
    check(xPortIsInsideInterrupt(), "an interrupt is taken for a task");
    check(preemptions < 2 * PREEMPTIONS, "the observer does not run");
    choose_period();
    portYIELD_FROM_ISR(pdTRUE);
}

// Wakes the observer, also while a switch is made.
static void alarm_handler(void) {
    timer_hw->intr = 1u << ALARM;
    timer_hw->alarm[ALARM] = timer_hw->timerawl + 20 + random_number() % 64;
    BaseType_t woken = pdFALSE;
    vTaskNotifyGiveFromISR(observer, &woken);
    portYIELD_FROM_ISR(woken);
}

static void start_interrupts(void) {
    irq_set_exclusive_handler(PWM_IRQ_WRAP, period_handler);
    irq_set_enabled(PWM_IRQ_WRAP, true);
    pwm_set_irq_enabled(SLICE, true);
    choose_period();
    pwm_set_enabled(SLICE, true);

    irq_set_exclusive_handler(TIMER_ALARM_IRQ_NUM(timer_hw, ALARM), alarm_handler);
    irq_set_enabled(TIMER_ALARM_IRQ_NUM(timer_hw, ALARM), true);
    hw_set_bits(&timer_hw->inte, 1u << ALARM);
    timer_hw->alarm[ALARM] = timer_hw->timerawl + 100;
}

static void stop_interrupts(void) {
    pwm_set_enabled(SLICE, false);
    irq_set_enabled(TIMER_ALARM_IRQ_NUM(timer_hw, ALARM), false);
}

void HardFault_Handler(void) {
    stop("hard fault");
}

/******************************************************************************/
// Tasks that hold registers

static void prepare(holder_t *holder) {
    uint32_t *value = (uint32_t *)&holder->before;
    for (size_t i = 0; i < sizeof(registers_t) / sizeof(uint32_t); i++) {
        value[i] = 0x01010101 * (16 * (holder - holders) + i + 1);
    }
    holder->before.flags = 0;
    hold_registers(&holder->before, &holder->expected, &holder->sp_before);
}

static void compare(holder_t *holder) {
    static const char *const names[] = {
        "r8", "r9", "r10", "r11", "r12", "lr", "flags", "sp", "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7",
    };
    holder->expected.flags = holder->before.flags;
    holder->expected.sp = holder->sp_before;
    if (memcmp(&holder->after, &holder->expected, sizeof(registers_t)) == 0) {
        return;
    }
    save_and_disable_interrupts();
    printf("disturbed in task %d after %lu preemptions:", holder - holders, preemptions);
    for (size_t i = 0; i < sizeof(registers_t) / sizeof(uint32_t); i++) {
        if (((uint32_t *)&holder->after)[i] != ((uint32_t *)&holder->expected)[i]) {
            printf(" %s", names[i]);
        }
    }
    printf("\n");
    stop("a register was disturbed");
}

static void hold(void *argument) {
    holder_t *holder = argument;
    check(!xPortIsInsideInterrupt(), "a task is taken for an interrupt");
    while (true) {
        holder->before.flags += 1u << 28;
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

static bool masked(void) {
    uint32_t primask;
    __asm volatile ("mrs %0, primask" : "=r" (primask));
    return primask != 0;
}

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

static void print_interrupted(void) {
    size_t instructions = 0;
    size_t count = 0;
    const uint16_t *at = hold_registers_begin;
    while (at < hold_registers_end) {
        count += interrupted[at - hold_registers_begin];
        instructions++;
        at += (*at >> 11) >= 0x1d ? 2 : 1; // Arm DDI 0419, A5.1: 32 or 16 bits
    }
    printf("instructions: %u\ninterrupted: %u\n", instructions, count);
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
    stop_interrupts();

    uint32_t sum = 0;
    for (size_t i = 0; i < HOLDERS; i++) {
        vTaskDelete(holders[i].task);
        check(holders[i].rounds > 0, "a task has not run");
        sum += holders[i].rounds;
    }
    check(rounds == sum, "a critical section was interrupted");
    printf("preemptions: %lu\nrounds: %lu\n", preemptions - turns, sum);
    print_interrupted();
}

static uint32_t us_since_tick_zero(void) {
    return time_us_32() - 1000 * xTaskGetTickCount();
}

static void test_tick(void) {
    uint32_t begin = us_since_tick_zero();
    uint32_t state = portSET_INTERRUPT_MASK_FROM_ISR();
    busy_wait_us_32(25300);
    portCLEAR_INTERRUPT_MASK_FROM_ISR(state);
    busy_wait_us_32(20);
    check(us_since_tick_zero() - begin + 1000 < 2000, "ticks were lost while interrupts were masked");

    vTaskDelay(1);
    begin = time_us_32();
    vTaskDelay(100);
    check(time_us_32() - begin - 99000 < 2000, "an idle board did not wake in time");
}

static void return_at_once(void *argument) {
    (void)argument;
}

static void observe(void *argument) {
    (void)argument;
    static StaticTask_t tcb;
    static StackType_t stack[STACK_WORDS] __attribute__((aligned(8)));
    observer = xTaskGetCurrentTaskHandle();
    test_critical_sections();
    test_registers();
    test_tick();
    finished = true;
    xTaskCreateStatic(return_at_once, "return", STACK_WORDS, NULL, OBSERVER_PRIORITY + 1, stack, &tcb);
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
    stdio_init_all();
    for (size_t i = 0; i < HOLDERS; i++) {
        prepare(&holders[i]);
    }
    xTaskCreateStatic(observe, "observe", 512, NULL, OBSERVER_PRIORITY, stack, &tcb);
    vTaskStartScheduler();
}
