// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The console, which all threads write to and whose raw REPL a program on the host talks to: mpremote, Thonny and others
// take what another thread prints amidst a script, or amidst the frame of its answer, for a board gone mad. So output of
// other threads waits while the raw REPL takes a script and frames its answer; while the script runs it flows.
//
// At the raw REPL's prompt it waits for PROMPT_MS only: a program on the host sends the next script at once, but a person
// with Thonny sits there, and wants to see what threads print.
//
// Nothing waits for ever: the main thread, for which the output waits, is in the raw REPL itself then, not in Python code
// that could wait for a thread. A host that goes amidst a script is the exception, until the next one types Ctrl-C.

#include <string.h>

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/interrupt_char.h"
#include "shared/runtime/pyexec.h"

#include "console.h"
#include "deadline.h"
#include "gil.h"
#include "scheduler.h"
#include "thread.h"

#define PROMPT_MS (5000)
#define LOOK_AGAIN_US (10000)

// How long the raw REPL waits for a thread that writes already; the port's own limit, if the host does not read, is shorter.
#define WRITER_US (2000000)
#define WRITER_LOOK_US (1000)

// So many Ctrl-C before a Ctrl-D make it a soft reset without boot.py and main.py; no tool sends them there.
#define SKIP_INTERRUPTS (10)

#define RAW_REPL_BANNER "raw REPL; CTRL-B to exit\r\n" // with which a conversation begins

#define DATA_LINK_ESCAPE (16)
#define QUOTED (0x40)

static bool program_runs;
static bool at_prompt; // and nothing of a script has come
static mp_uint_t prompted_ms;
static uint32_t interrupts; // Ctrl-C without anything else between them
static bool skip_files;
static bool quotes;
static uint32_t writers; // other threads that are in the port's function

// The linker takes the functions called __wrap for the port's, and these are the port's.
mp_uint_t __real_mp_hal_stdout_tx_strn(const char *str, size_t len);
int __real_pyexec_file_if_exists(const char *filename);

/******************************************************************************/
// Other threads

static bool in_raw_repl(void) {
    return pyexec_mode_kind == PYEXEC_MODE_RAW_REPL;
}

static bool must_wait(void) {
    return in_raw_repl() && !program_runs && !scheduler_runs_callbacks()
           && !(at_prompt && mp_hal_ticks_ms() - prompted_ms >= PROMPT_MS);
}

// And one that may wait.
static bool is_other_thread(void) {
    return gil_current != NULL && gil_current != &thread_main && !kernel_in_interrupt() && !scheduler_is_locked()
           && gil_pins == 0;
}

// False if the thread is to leave instead.
static bool wait_for_turn(void) {
    while (must_wait()) {
        if (scheduler_exception_pending()) {
            return false;
        }
        gil_park(deadline_after_us(LOOK_AGAIN_US));
    }
    return true;
}

static void write_as_other(const char *str, size_t len) {
    nlr_buf_t nlr;
    writers++;
    if (nlr_push(&nlr) == 0) {
        __real_mp_hal_stdout_tx_strn(str, len);
        nlr_pop();
        writers--;
    } else {
        writers--;
        nlr_jump(nlr.ret_val);
    }
}

/******************************************************************************/
// All that is written, but by the raw REPL itself

static mp_uint_t write(const char *str, size_t len) {
    if (!is_other_thread()) {
        return __real_mp_hal_stdout_tx_strn(str, len);
    }
    if (wait_for_turn()) {
        write_as_other(str, len);
    }
    return len;
}

static bool is_quoted(char c) {
    return c == CHAR_CTRL_D || c == DATA_LINK_ESCAPE;
}

static void write_quoting(const char *str, size_t len) {
    const char *end = str + len;
    while (str < end) {
        const char *plain_end = str;
        while (plain_end < end && !is_quoted(*plain_end)) {
            plain_end++;
        }
        if (plain_end > str) {
            write(str, plain_end - str);
        }
        if (plain_end < end) {
            const char quoted[] = { DATA_LINK_ESCAPE, *plain_end | QUOTED };
            write(quoted, sizeof(quoted));
            plain_end++;
        }
        str = plain_end;
    }
}

mp_uint_t __wrap_mp_hal_stdout_tx_strn(const char *str, size_t len) {
    if (!quotes || !in_raw_repl()) {
        return write(str, len);
    }
    write_quoting(str, len);
    return len;
}

void console_quote(void) {
    quotes = true;
}

/******************************************************************************/
// What pyexec.c calls

static void open_prompt(void) {
    at_prompt = true;
    prompted_ms = mp_hal_ticks_ms();
}

int console_rx_chr(void) {
    int c = mp_hal_stdin_rx_chr();
    if (c == CHAR_CTRL_C) {
        interrupts++;
        open_prompt(); // of a script that had begun nothing is left
    } else {
        skip_files = c == CHAR_CTRL_D && interrupts >= SKIP_INTERRUPTS;
        interrupts = 0;
        at_prompt = false;
    }
    return c;
}

mp_uint_t console_tx_strn(const char *str, size_t len) {
    at_prompt = false;
    deadline_t end = deadline_after_us(WRITER_US);
    while (writers != 0 && !deadline_passed(end)) {
        gil_park(deadline_after_us(WRITER_LOOK_US));
    }
    return __real_mp_hal_stdout_tx_strn(str, len);
}

void console_tx_str(const char *str) {
    console_tx_strn(str, strlen(str));
    if (*str == '>') {
        open_prompt();
    } else if (*str == *RAW_REPL_BANNER) {
        quotes = false;
    }
}

void console_set_interrupt_char(int c) {
    program_runs = c >= 0;
    mp_hal_set_interrupt_char(c);
}

// At each start, with no other thread: first boot.py, then main.py, unless the raw REPL comes next.
int __wrap_pyexec_file_if_exists(const char *filename) {
    writers = 0;
    if (skip_files) {
        skip_files = false;
        filename = "/"; // no file
    }
    return thread_program_ended(__real_pyexec_file_if_exists(filename));
}
