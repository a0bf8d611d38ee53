// This file is part of modthread. SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"

#if MICROPY_PY_THREAD
#include "FreeRTOS.h"
#include "task.h"
#endif

#if MICROPY_PY_LWIP
#include "extmod/modnetwork.h"
#include "lan.h"
#endif

#include "alarm.h"
#include "clock.h"
#include "machine_timer.h"
#include "startup.h"
#include "uart.h"

static uint8_t heap[MICROPY_HEAP_SIZE] __attribute__((aligned(16)));
static uint8_t main_stack[MICROPY_MAIN_STACK_SIZE] __attribute__((aligned(8)));

// What threads put on the stack before the prompt takes nothing from how deep a program recurses.
#if MICROPY_PY_THREAD
#define MAIN_STACK_BELOW_REPL MP_THREAD_RUN_REPL_STACK
#else
#define MAIN_STACK_BELOW_REPL (0)
#endif

static void run_repl(void) {
    int result;
    do {
        int (*repl)(void) = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl : pyexec_friendly_repl;
        #if MICROPY_PY_THREAD
        result = mp_thread_run_repl(repl);
        #else
        result = repl();
        #endif
    } while (result == 0);
}

// boot.py, main.py, then the prompt, until a soft reset.
static void run_scripts_and_repl(void) {
    pyexec_frozen_module("_boot.py", false);
    int result = pyexec_file_if_exists("boot.py");
    if (!(result & PYEXEC_FORCED_EXIT) && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
        result = pyexec_file_if_exists("main.py");
    }
    if (!(result & PYEXEC_FORCED_EXIT)) {
        run_repl();
    }
}

static void micropython_task(void *argument) {
    (void)argument;
    uart_init();
    #if MODTHREAD
    alarm_init();
    #endif
    #if MICROPY_PY_THREAD
    mp_thread_init_main(main_stack);
    #endif
    #if MICROPY_PY_LWIP
    lan_init();
    #endif
    mp_cstack_init_with_top(main_stack + sizeof(main_stack), sizeof(main_stack) + MAIN_STACK_BELOW_REPL);
    for (;;) {
        gc_init(heap, heap + sizeof(heap));
        mp_init();
        #if MICROPY_PY_LWIP
        mod_network_init();
        #endif
        mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
        readline_init0();
        run_scripts_and_repl();
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        #if MICROPY_PY_THREAD
        mp_thread_deinit();
        #endif
        machine_timer_deinit_all();
        gc_sweep_all();
        #if MICROPY_PY_LWIP
        lan_stop();
        #endif
        mp_deinit();
    }
}

#if MICROPY_PY_THREAD

int main(void) {
    static StaticTask_t main_tcb;
    xTaskCreateStatic(micropython_task, "main", sizeof(main_stack) / sizeof(StackType_t), NULL, tskIDLE_PRIORITY + 1,
        (StackType_t *)main_stack, &main_tcb);
    vTaskStartScheduler();
    return 0;
}

#else

// Go on upon the main stack, so that the program has the same room as with threads.
int main(void) {
    clock_init();
    __asm volatile (
        "msr psp, %0       \n"
        "mov r0, #2        \n"
        "msr control, r0   \n"
        "isb               \n"
        "mov r0, #0        \n"
        "bl micropython_task \n"
        : : "r" (main_stack + sizeof(main_stack)) : "r0", "memory");
    return (int)(uintptr_t)micropython_task;
}

#endif

void gc_collect(void) {
    gc_collect_start();
    #if MICROPY_PY_THREAD
    mp_thread_gc_others();
    #endif
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *val) {
    (void)val;
    port_crash("exception without a handler");
}
