// This file is part of modthread. SPDX-License-Identifier: MIT

#include "sanitizer.h"

#if SANITIZE

#include <stdio.h>
#include <string.h>

#include "py/nlr.h"

#include "explorer.h"

const void *sanitizer_search_stack;
size_t sanitizer_search_stack_size;

// The search goes on after a report, takes memory back to what it was, and uses signals of its own.
const char *__asan_default_options(void) {
    return "halt_on_error=0:suppress_equal_pcs=0:replace_intrin=0:detect_leaks=0:detect_stack_use_after_return=0:"
           "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0:use_sigaltstack=0";
}

static void note_report(const char *text) {
    const char *error = strstr(text, "AddressSanitizer: ");
    if (error != NULL) {
        snprintf(search->report, sizeof(search->report), "%.*s", (int)strcspn(error, "\n"), error);
    }
}

__attribute__((constructor)) static void listen(void) {
    __asan_set_error_report_callback(note_report);
}

const char *sanitizer_report(void) {
    if (search->report[0] == 0) {
        return NULL;
    }
    static char text[sizeof(search->report)];
    strcpy(text, search->report);
    search->report[0] = 0;
    return text;
}

// An exception leaves functions that would have cleared what is said of their variables.
NORETURN void __real_nlr_jump(void *value);
NORETURN void __wrap_nlr_jump(void *value) {
    const StaticTask_t *task = search->executing;
    const char *here = __builtin_frame_address(0);
    const char *top = (const char *)task->stack + task->stack_size;
    if (here > (const char *)task->stack && here < top) {
        __asan_unpoison_memory_region(here, top - here);
    }
    __real_nlr_jump(value);
}

#endif
