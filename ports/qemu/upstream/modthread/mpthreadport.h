// This file is part of modthread. SPDX-License-Identifier: MIT
//
// In the place of modthread's header: the cc3200's, what its backend finds in its own port, and what this port calls.

#ifndef UPSTREAM_MPTHREADPORT_H
#define UPSTREAM_MPTHREADPORT_H

#include <stdint.h>

#include "FreeRTOS.h"
#include "semphr.h"

#include "ports/cc3200/mpthreadport.h"

// The cc3200's mptask.h would say how large the main task's stack is there.
#define MICROPY_INCLUDED_CC3200_MPTASK_H
extern StackType_t *mpTaskStack;
#define MICROPY_TASK_STACK_LEN (MICROPY_MAIN_STACK_SIZE / sizeof(StackType_t))

#define HAL_NVIC_INT_CTRL_REG (*(volatile uint32_t *)0xe000ed04) // ICSR: Arm DDI 0403, B3.2.4
#define HAL_VECTACTIVE_MASK (0x1ff)
#define IRQ_STATE_ENABLED (0)

static inline uint32_t query_irq(void) {
    uint32_t primask;
    __asm volatile ("mrs %0, primask" : "=r" (primask));
    return primask;
}

void mp_thread_init_main(void *stack);
int mp_thread_run_repl(int (*repl)(void));
#define MP_THREAD_RUN_REPL_STACK (16)
void mp_thread_deinit(void);
void mp_thread_tick(void);
void mp_thread_notify(void);
void mp_thread_delay_ms(uint32_t ms);
void mp_thread_delay_us(uint32_t us);
void mp_thread_wait_for_notify(void);
uint32_t mp_thread_ident_of_task(const void *task);
__attribute__((noreturn)) void mp_thread_stack_overflow(uint32_t ident);

#endif // UPSTREAM_MPTHREADPORT_H
