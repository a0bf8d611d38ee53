// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The start of the interpreter, and its end at a soft reset: what MicroPython's ports/esp32/main.c calls.

#include "py/mpthread.h"
#include "py/runtime.h"

#include "modthread/buffer.h"
#include "modthread/hashing.h"
#include "modthread/kernel.h"

#include "compiled.h"
#include "idle.h"
#include "tick.h"

void mp_thread_init(void *stack, uint32_t stack_len) {
    (void)stack;
    (void)stack_len;
    mp_thread_init_main(pxTaskGetStackStart(NULL));
    idle_init();
    tick_init();
}

int __real_pyexec_friendly_repl(void);
int __wrap_pyexec_friendly_repl(void) {
    return mp_thread_run_repl(__real_pyexec_friendly_repl);
}

int __real_pyexec_raw_repl(void);
int __wrap_pyexec_raw_repl(void) {
    return mp_thread_run_repl(__real_pyexec_raw_repl);
}

// See MODTHREAD_FORGET_WAITING.
void esp32_forget_waiting(void);
void esp32_forget_waiting(void) {
    hashing_reset();
    buffer_reset();
}

// At each soft reset, too: all other threads have ended.
void __real_mp_init(void);
void __wrap_mp_init(void) {
    compiled_reset();
    mp_thread_init_main(pxTaskGetStackStart(NULL));
    __real_mp_init();
}
