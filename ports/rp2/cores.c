// This file is part of modthread. SPDX-License-Identifier: MIT
//
// All interrupts of peripherals are served by core 0: whichever core enables one, it is enabled there. So a handler does
// not run on both cores, is disabled by whoever wants to, and wakes the core that sleeps in machine.lightsleep().
//
// A core can stop the other one: to write to flash, from which both run, or to run Python code in an interrupt, which uses
// the state of the thread that owns the GIL. The other core stops in the interrupt by which the kernel's port asks it to
// yield, here the most urgent one, or where it waits for a lock with interrupts masked. Locks are taken in this order:
// atomic sections, the kernel's task lock, and then, by who never waits for anything else, ours and the kernel's ISR lock.

#include "FreeRTOS.h"
#include "task.h"

#include "py/mpthread.h"
#include "hardware/gpio.h"
#include "hardware/irq.h"
#include "hardware/structs/scb.h"
#include "hardware/sync.h"
#include "pico/multicore.h"

#include "../cortex_m/compiled.h"
#include "modthread/kernel.h"
#include "cores.h"

// A spin lock that knows its owner, as the number of its core plus 1.
typedef struct _core_lock_t {
    spin_lock_t *spin_lock;
    volatile uint8_t owner;
    uint8_t depth;
} core_lock_t;

static core_lock_t leaf_lock, atomic_lock, task_lock, stop_lock;

typedef void (*call_t)(uint32_t a, uint32_t b, uint32_t c);

static volatile bool ready[NUM_CORES]; // a core can be stopped
static volatile bool stop_wanted[NUM_CORES];
static volatile bool stopped[NUM_CORES];

// What the core that has stopped the other one lets it do.
static volatile struct {
    call_t function; // written last
    uint32_t a, b, c;
} call;

void cores_init(void) {
    leaf_lock.spin_lock = spin_lock_init(spin_lock_claim_unused(true));
    atomic_lock.spin_lock = spin_lock_init(spin_lock_claim_unused(true));
    stop_lock.spin_lock = spin_lock_init(spin_lock_claim_unused(true));
    task_lock.spin_lock = spin_lock_instance(configSMP_SPINLOCK_1);
}

/******************************************************************************/
// Locks; with interrupts masked

static inline bool owned(const core_lock_t *lock) {
    return lock->owner == get_core_num() + 1;
}

static inline bool try_lock(core_lock_t *lock) {
    if (!owned(lock)) {
        if (!spin_try_lock_unsafe(lock->spin_lock)) {
            return false;
        }
        lock->owner = get_core_num() + 1;
    }
    lock->depth++;
    return true;
}

static inline void unlock(core_lock_t *lock) {
    if (--lock->depth == 0) {
        lock->owner = 0;
        spin_unlock_unsafe(lock->spin_lock);
    }
}

// Stop here for as long as the other core wants it. It may be writing to flash.
static void __not_in_flash_func(stop_if_wanted)(void) {
    uint32_t core = get_core_num();
    if (!stop_wanted[core]) {
        return;
    }
    stopped[core] = true;
    scb_hw->scr |= M0PLUS_SCR_SLEEPDEEP_BITS; // machine.lightsleep() lets the chip sleep when both cores do
    while (stop_wanted[core]) {
        if (call.function != NULL) {
            call.function(call.a, call.b, call.c);
            call.function = NULL;
        }
        __wfe();
    }
    stopped[core] = false;
}

uint32_t __not_in_flash_func(mp_thread_lock_cores)(void) {
    uint32_t state = save_and_disable_interrupts();
    while (!try_lock(&leaf_lock)) {
    }
    return state;
}

void __not_in_flash_func(mp_thread_unlock_cores)(uint32_t state) {
    unlock(&leaf_lock);
    restore_interrupts(state);
}

void __not_in_flash_func(cores_get_task_lock)(uint32_t core) {
    (void)core;
    while (!try_lock(&task_lock)) {
        stop_if_wanted();
    }
}

void __not_in_flash_func(cores_release_task_lock)(void) {
    unlock(&task_lock);
}

// Take a lock that may be held for long: interrupts are served meanwhile.
static uint32_t lock_slowly(core_lock_t *lock) {
    for (;;) {
        uint32_t state = save_and_disable_interrupts();
        if (try_lock(lock)) {
            return state;
        }
        stop_if_wanted();
        restore_interrupts(state);
    }
}

// Who has stopped the other core is alone, and that one may have been stopped in such a section.
uint32_t mp_thread_begin_atomic_section(void) {
    if (owned(&stop_lock) && !owned(&atomic_lock)) {
        return save_and_disable_interrupts();
    }
    return lock_slowly(&atomic_lock);
}

void mp_thread_end_atomic_section(uint32_t state) {
    if (owned(&atomic_lock)) { // machine.enable_irq() can be called at any time
        unlock(&atomic_lock);
    }
    restore_interrupts(state);
}

/******************************************************************************/
// One core stops the other

// What an exception returns to: a task, and not another exception (Arm DDI 0419, B1.5.8).
#define EXC_RETURN_TO_TASK (0xfffffffd)

void __not_in_flash_func(cores_interrupt)(void) {
    multicore_fifo_drain();
    multicore_fifo_clear_irq();
    stop_if_wanted();
    portYIELD_FROM_ISR(pdTRUE);
    if ((uintptr_t)__builtin_return_address(0) == EXC_RETURN_TO_TASK) {
        compiled_tick();
    }
}

void cores_pass_tick_on(void) {
    if (ready[1] && multicore_fifo_wready()) {
        sio_hw->fifo_wr = 0;
    }
}

uint32_t cores_stop_other(void) {
    uint32_t state = lock_slowly(&stop_lock);
    uint32_t other = 1 - get_core_num();
    if (stop_lock.depth == 1) {
        while (!ready[other]) {
        }
        stop_wanted[other] = true;
        sio_hw->fifo_wr = 0;
        while (!stopped[other]) {
        }
    }
    return state;
}

void cores_continue_other(uint32_t state) {
    uint32_t other = 1 - get_core_num();
    if (stop_lock.depth == 1) {
        stop_wanted[other] = false;
        __sev();
        while (stopped[other]) {
        }
    }
    unlock(&stop_lock);
    restore_interrupts(state);
}

void cores_halt_other(void) {
    stop_wanted[1 - get_core_num()] = true;
    sio_hw->fifo_wr = 0;
}

// For interrupts in which Python runs; more urgent ones are served meanwhile.
void mp_thread_stop_others(void) {
    restore_interrupts(cores_stop_other());
}

void mp_thread_continue_others(void) {
    cores_continue_other(save_and_disable_interrupts());
}

// MicroPython's rp2_flash.c uses these; its interrupts are masked, or about to be.
static uint32_t lockout_state;

bool __wrap_multicore_lockout_victim_is_initialized(uint32_t core) {
    return ready[core];
}

void __wrap_multicore_lockout_start_blocking(void) {
    uint32_t state = cores_stop_other();
    lockout_state = state;
}

void __wrap_multicore_lockout_end_blocking(void) {
    cores_continue_other(lockout_state);
}

/******************************************************************************/
// Interrupts are core 0's

static void on_core_0(call_t function, uint32_t a, uint32_t b, uint32_t c) {
    uint32_t state = save_and_disable_interrupts();
    if (get_core_num() == 0) {
        function(a, b, c);
    } else {
        uint32_t stop_state = cores_stop_other();
        call.a = a;
        call.b = b;
        call.c = c;
        call.function = function;
        __sev();
        while (call.function != NULL) {
        }
        cores_continue_other(stop_state);
    }
    restore_interrupts(state);
}

static bool is_from_other_core(uint32_t irq) {
    return irq == SIO_IRQ_PROC0 || irq == SIO_IRQ_PROC1;
}

void __real_irq_set_enabled(uint32_t irq, bool enabled);
static void set_irq_enabled(uint32_t irq, uint32_t enabled, uint32_t unused) {
    (void)unused;
    __real_irq_set_enabled(irq, enabled);
}

void __wrap_irq_set_enabled(uint32_t irq, bool enabled) {
    if (is_from_other_core(irq)) {
        irq_set_priority(irq, PICO_HIGHEST_IRQ_PRIORITY);
        __real_irq_set_enabled(irq, enabled);
        ready[get_core_num()] = enabled;
    } else {
        on_core_0(set_irq_enabled, irq, enabled, 0);
    }
}

void __real_gpio_set_irq_enabled(uint32_t gpio, uint32_t events, bool enabled);
static void set_gpio_irq_enabled(uint32_t gpio, uint32_t events, uint32_t enabled) {
    __real_gpio_set_irq_enabled(gpio, events, enabled);
}

void __wrap_gpio_set_irq_enabled(uint32_t gpio, uint32_t events, bool enabled) {
    on_core_0(set_gpio_irq_enabled, gpio, events, enabled);
}

/******************************************************************************/
// Core 1, and tasks that care where they run

uint32_t core_1_stack[CORE_1_STACK_WORDS] __attribute__((aligned(8)));

// The kernel's port calls it; pico-sdk's own would take from the main program's stack.
void __wrap_multicore_launch_core1(void (*entry)(void)) {
    multicore_launch_core1_with_stack(entry, core_1_stack, sizeof(core_1_stack));
}

uint32_t cores_move_task(uint32_t cores) {
    uint32_t before = vTaskCoreAffinityGet(NULL);
    vTaskCoreAffinitySet(NULL, cores);
    return before;
}
