// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The explored program: MicroPython, and a scenario written in Python. What a scenario says beside its functions:
//     interrupts   a string of names, those that may come: tick, ctrl_c, notify, handler, callback
//     main()       what the main thread runs; end() what must hold when all has ended
//     handler()    a hard interrupt handler; callback() what the interrupt of that name schedules
//     guest()      what a task that is no thread's calls; guests = 2 another one, too, once the first has left
//     reset = True a soft reset follows main(), whatever the threads do; leave = 2 so many call model.leave() before it ends

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "py/builtin.h"
#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/runtime/gchelper.h"

#include "modthread/console.h"
#include "modthread/gil.h"
#include "modthread/lock.h"

#include "explorer.h"
#include "observe.h"

#define WHERE __builtin_return_address(0)

const char *scenario_path;

static uint8_t main_stack[MAIN_STACK_SIZE] ARENA;
static uint8_t guest_stacks[2][OTHER_STACK_SIZE] ARENA;
// Aligned, so that a stack and what is below it share a grain.
uint8_t port_heap[HEAP_SIZE] ARENA __attribute__((aligned(MICROPY_BYTES_PER_GC_BLOCK)));
static StaticTask_t guest_tasks[2];
static int guests_to_come; // and the one that is there
static mp_obj_t locks[4]; // the scenario's
static size_t n_locks;

/******************************************************************************/
// Memory of deleted threads
//
// modthread must use no stack of a deleted task, and no record of a thread once it has freed its stack, until it is
// allocated anew. The linker leads the calls that free and allocate through here (--wrap).

_Static_assert(offsetof(thread_t, tcb) == 0, "the record begins with its task");

#define GRAIN MICROPY_BYTES_PER_GC_BLOCK

static bool deleted[HEAP_SIZE / GRAIN];
static const void *record; // of the thread whose task was deleted last

// Up to the end of a block. Below a stack, in the same grain, is what its owner keeps of it.
static void mark(const void *address, size_t size, bool is_deleted) {
    size_t offset = (const uint8_t *)address - port_heap;
    if (offset < HEAP_SIZE) {
        size_t first = is_deleted ? (offset + GRAIN - 1) / GRAIN : offset / GRAIN;
        size_t end = (offset + size + GRAIN - 1) / GRAIN;
        memset(deleted + first, is_deleted, MAX(end, first) - first);
        sanitizer_mark(address, size, is_deleted);
    }
}

void port_note_deleted(const StaticTask_t *task) {
    mark(task->stack, task->stack_size, true);
    record = task;
}

bool port_is_deleted(const void *address, size_t size) {
    size_t offset = (const uint8_t *)address - port_heap;
    return offset < HEAP_SIZE && (deleted[offset / GRAIN] || deleted[(offset + size - 1) / GRAIN]);
}

void *__real_gc_alloc(size_t size, unsigned int flags);
void *__wrap_gc_alloc(size_t size, unsigned int flags) {
    void *block = __real_gc_alloc(size, flags);
    if (block != NULL) {
        mark(block, size, false);
    }
    return block;
}

void *__real_gc_realloc(void *old, size_t size, bool may_move);
void *__wrap_gc_realloc(void *old, size_t size, bool may_move) {
    void *block = __real_gc_realloc(old, size, may_move);
    if (block != NULL) {
        mark(block, size, false);
    }
    return block;
}

thread_stack_t *__real_stack_new(size_t size);
thread_stack_t *__wrap_stack_new(size_t size) {
    thread_stack_t *stack = __real_stack_new(size);
    mark(stack, size, false);
    return stack;
}

void __real_stack_free(thread_stack_t *stack);
void __wrap_stack_free(thread_stack_t *stack) {
    mark(record, sizeof(thread_t), true);
    __real_stack_free(stack);
}

/******************************************************************************/
// What MicroPython's core calls

void gc_collect(void) {
    gc_collect_start();
    mp_thread_gc_others();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

uintptr_t gc_helper_get_regs_and_sp(uintptr_t *regs);
__asm(
    ".globl gc_helper_get_regs_and_sp\n"
    "gc_helper_get_regs_and_sp:\n"
    "    movq %rbx, (%rdi)\n"
    "    movq %rbp, 8(%rdi)\n"
    "    movq %r12, 16(%rdi)\n"
    "    movq %r13, 24(%rdi)\n"
    "    movq %r14, 32(%rdi)\n"
    "    movq %r15, 40(%rdi)\n"
    "    movq %rsp, %rax\n"
    "    ret\n");

void nlr_jump_fail(void *val) {
    (void)val;
    model_fail("an exception without a handler");
}

void __assert_fail(const char *expression, const char *file, unsigned int line, const char *function) {
    static char text[200];
    snprintf(text, sizeof(text), "assertion %s in %s(), %s:%u", expression, function, file, line);
    model_fail(text);
}

void mp_thread_stack_overflow(uint32_t ident) {
    (void)ident;
    model_fail("a stack has overflowed");
}

// There is no console, and what is printed goes into a failing schedule.
void console_quote(void) {
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    size_t n = MIN(len, sizeof(search->output) - 1 - search->output_used);
    memcpy(search->output + search->output_used, str, n);
    search->output_used += n;
    return len;
}

// Between two ticks it goes on with what the program does: waits do not begin with a tick.
#define US_PER_STEP (16)

uint64_t mp_thread_time_us(void) {
    if (model.cores[model.active].lock_depth == 0) {
        model_point(POINT_CLOCK, WHERE);
    }
    uint64_t start = ((uint64_t)1 << 32) - 2000; // its lower half wraps with the ticks
    return start + (uint64_t)(model.ticks - MODEL_FIRST_TICK) * 1000 + MIN(model.busy * US_PER_STEP, 999);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (uint32_t)mp_thread_time_us();
}

mp_uint_t mp_hal_ticks_ms(void) {
    return model.ticks;
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return model.ticks;
}

uint64_t mp_hal_time_ns(void) {
    return 0;
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_thread_delay_ms(ms);
}

void mp_hal_delay_us(mp_uint_t us) {
    mp_thread_delay_us(us);
}

int mp_hal_stdin_rx_chr(void) {
    return 0;
}

mp_lexer_t *mp_lexer_new_from_file(qstr filename) {
    (void)filename;
    mp_raise_OSError(MP_ENOENT);
}

mp_import_stat_t mp_import_stat(const char *path) {
    (void)path;
    return MP_IMPORT_STAT_NO_EXIST;
}

static mp_obj_t no_open(size_t n_args, const mp_obj_t *args, mp_map_t *kwargs) {
    (void)n_args;
    (void)args;
    (void)kwargs;
    mp_raise_OSError(MP_ENOENT);
}
MP_DEFINE_CONST_FUN_OBJ_KW(mp_builtin_open_obj, 1, no_open);

// Python code runs here.
void model_branch(void) {
    if (!search->exploring || kernel_in_interrupt()) {
        return;
    }
    if (!observe_task_owns_gil(kernel_current_task())) {
        model_fail("Python code runs in a task that does not own the GIL, or with another thread's state");
    }
    model_point(POINT_BRANCH, WHERE);
    if (!observe_task_owns_gil(kernel_current_task())) {
        model_fail("a task has lost the GIL while it ran");
    }
}

/******************************************************************************/
// The module "model"

// Run C code without the GIL.
static mp_obj_t model_outside(void) {
    MP_THREAD_GIL_EXIT();
    model_point(POINT_KERNEL, WHERE);
    model_point(POINT_KERNEL, WHERE);
    MP_THREAD_GIL_ENTER();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(model_outside_obj, model_outside);

// Run C code that does not come back.
static mp_obj_t model_stay_outside(void) {
    MP_THREAD_GIL_EXIT();
    for (;;) {
        kernel_take(KERNEL_FOREVER);
    }
    return mp_const_none; // never
}
static MP_DEFINE_CONST_FUN_OBJ_0(model_stay_outside_obj, model_stay_outside);

// Wait until the interrupt "notify" has come.
static mp_obj_t model_wait_event(void) {
    while (model.taken[INTERRUPT_NOTIFY] == 0) {
        mp_thread_wait_for_notify();
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(model_wait_event_obj, model_wait_event);

// How many interrupts of that kind have come.
static mp_obj_t model_taken(mp_obj_t kind) {
    return mp_obj_new_int(model.taken[mp_obj_get_int(kind)]);
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_taken_obj, model_taken);

// A thread has cleaned up.
static int left;
static mp_obj_t model_leave(void) {
    left++;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(model_leave_obj, model_leave);

// The threads that wait for a lock, in order.
static mp_obj_t model_waiting(mp_obj_t lock) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    for (uint32_t n = 0; observe_waiter(lock, n) != 0; n++) {
        mp_obj_list_append(list, mp_obj_new_int_from_uint(observe_waiter(lock, n)));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_1(model_waiting_obj, model_waiting);

static const mp_rom_map_elem_t model_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_model) },
    { MP_ROM_QSTR(MP_QSTR_outside), MP_ROM_PTR(&model_outside_obj) },
    { MP_ROM_QSTR(MP_QSTR_stay_outside), MP_ROM_PTR(&model_stay_outside_obj) },
    { MP_ROM_QSTR(MP_QSTR_wait_event), MP_ROM_PTR(&model_wait_event_obj) },
    { MP_ROM_QSTR(MP_QSTR_taken), MP_ROM_PTR(&model_taken_obj) },
    { MP_ROM_QSTR(MP_QSTR_leave), MP_ROM_PTR(&model_leave_obj) },
    { MP_ROM_QSTR(MP_QSTR_waiting), MP_ROM_PTR(&model_waiting_obj) },
    { MP_ROM_QSTR(MP_QSTR_CTRL_C), MP_ROM_INT(INTERRUPT_CTRL_C) },
    { MP_ROM_QSTR(MP_QSTR_NOTIFY), MP_ROM_INT(INTERRUPT_NOTIFY) },
    { MP_ROM_QSTR(MP_QSTR_HANDLER), MP_ROM_INT(INTERRUPT_HANDLER) },
    { MP_ROM_QSTR(MP_QSTR_CALLBACK), MP_ROM_INT(INTERRUPT_CALLBACK) },
};
static MP_DEFINE_CONST_DICT(model_globals, model_globals_table);

const mp_obj_module_t mp_module_model = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&model_globals,
};
MP_REGISTER_MODULE(MP_QSTR_model, mp_module_model);

/******************************************************************************/
// The scenario

static mp_obj_t global(qstr name) {
    mp_map_elem_t *element = mp_map_lookup(&mp_globals_get()->map, MP_OBJ_NEW_QSTR(name), MP_MAP_LOOKUP);
    return element == NULL ? MP_OBJ_NULL : element->value;
}

// Call a function of the scenario if it is there; an exception fails, but for KeyboardInterrupt where it may come.
static void call(qstr name) {
    mp_obj_t function = global(name);
    nlr_buf_t nlr;
    if (function == MP_OBJ_NULL) {
        return;
    }
    if (nlr_push(&nlr) == 0) {
        mp_call_function_0(function);
        nlr_pop();
    } else if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(nlr.ret_val)), MP_OBJ_FROM_PTR(&mp_type_KeyboardInterrupt))
               || model.begun[INTERRUPT_CTRL_C] == 0) { // another core may see it before the interrupt is over
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        model_fail("an exception that must not come");
    }
}

// As shared/runtime/mpirq.c does it for a hard handler.
static void call_handler(void) {
    nlr_buf_t nlr;
    mp_sched_lock();
    gc_lock();
    if (nlr_push(&nlr) == 0) {
        mp_call_function_0(global(MP_QSTR_handler));
        nlr_pop();
    } else {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    gc_unlock();
    mp_sched_unlock();
}

static mp_obj_t run_callback(mp_obj_t unused) {
    (void)unused;
    return mp_call_function_0(global(MP_QSTR_callback));
}
static MP_DEFINE_CONST_FUN_OBJ_1(run_callback_obj, run_callback);

void port_interrupt(interrupt_t kind) {
    switch (kind) {
        case INTERRUPT_CTRL_C:
            mp_sched_keyboard_interrupt();
            break;
        case INTERRUPT_NOTIFY:
            mp_thread_notify();
            break;
        case INTERRUPT_HANDLER:
            call_handler();
            break;
        case INTERRUPT_CALLBACK:
            mp_sched_schedule(MP_OBJ_FROM_PTR(&run_callback_obj), mp_const_none);
            break;
        default:
            break;
    }
}

static void create_guest(void);

static void guest_main(void *argument) {
    const StaticTask_t *self = argument;
    mp_thread_enter_guest((uint8_t *)self->stack + self->stack_size, self->stack_size);
    mp_sched_lock();
    if (!observe_task_owns_gil(kernel_current_task())) {
        model_fail("a guest does not own the GIL");
    }
    call(MP_QSTR_guest);
    mp_sched_unlock();
    mp_thread_leave_guest();
    if (--guests_to_come > 0) {
        create_guest(); // there is one at a time
    }
    model_wait_for_end();
}

static void create_guest(void) {
    StaticTask_t *task = &guest_tasks[guests_to_come - 1];
    uint8_t *stack = guest_stacks[guests_to_come - 1];
    model_create_task(task, guest_main, task, stack, sizeof(guest_stacks[0]), KERNEL_ANY_CORE);
    task->number = ++model.tasks_created;
    task->next = model.tasks;
    model.tasks = task;
}

static void set_up_guests(void) {
    if (global(MP_QSTR_guest) != MP_OBJ_NULL) {
        guests_to_come = global(MP_QSTR_guests) == MP_OBJ_NULL ? 1 : mp_obj_get_int(global(MP_QSTR_guests));
        create_guest();
    }
}

static void set_up_interrupts(void) {
    static const char *const names[] = { "tick", "ctrl_c", "notify", "handler", "callback" };
    mp_obj_t wanted = global(MP_QSTR_interrupts);
    char text[200] = "";
    if (wanted != MP_OBJ_NULL) {
        snprintf(text, sizeof(text), "%s", mp_obj_str_get_str(wanted));
    }
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        for (size_t i = 0; i < MP_ARRAY_SIZE(names); i++) {
            model.left[i] += strcmp(word, names[i]) == 0;
        }
    }
}

static void read_scenario(void) {
    FILE *file = fopen(scenario_path, "r");
    if (file == NULL) {
        fprintf(stderr, "explorer: cannot read %s\n", scenario_path);
        exit(2);
    }
    char *source = calloc(1, 65536);
    size_t size = fread(source, 1, 65535, file);
    fclose(file);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_lexer_t *lexer = mp_lexer_new_from_str_len(MP_QSTR__lt_stdin_gt_, source, size, 0);
        mp_parse_tree_t tree = mp_parse(lexer, MP_PARSE_FILE_INPUT);
        mp_call_function_0(mp_compile(&tree, MP_QSTR__lt_stdin_gt_, false));
        nlr_pop();
    } else {
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        fprintf(stderr, "explorer: %s: %.*s", scenario_path, (int)search->output_used, search->output);
        exit(2);
    }
    free(source);
}

static void find_locks(void) {
    const mp_map_t *globals = &mp_globals_get()->map;
    for (size_t i = 0; i < globals->alloc; i++) {
        if (mp_map_slot_is_filled(globals, i) && n_locks < MP_ARRAY_SIZE(locks)
            && mp_obj_is_type(globals->table[i].value, &mp_type_thread_lock)) {
            locks[n_locks++] = globals->table[i].value;
        }
    }
}

static void soft_reset(void) {
    uint8_t *end = port_heap + sizeof(port_heap);
    mp_thread_deinit();
    if (global(MP_QSTR_leave) != MP_OBJ_NULL && left != mp_obj_get_int(global(MP_QSTR_leave))) {
        model_fail("a soft reset has not let a thread clean up");
    }
    if (thread_list != &thread_main || MP_STATE_MEM(area).gc_pool_end > end
        || MP_STATE_MEM(area).gc_pool_end < end - 4 * MICROPY_BYTES_PER_GC_BLOCK) {
        model_fail("a soft reset has left something");
    }
    for (StaticTask_t *task = model.tasks; task != NULL; task = task->next) {
        if (task->number > 0 && task != &guest_tasks[0] && task != &guest_tasks[1]) {
            model_fail("a soft reset has left a task");
        }
    }
    n_locks = 0;
    memset(model.left, 0, sizeof(model.left)); // a port takes out the program's handlers
    gc_sweep_all();
    mp_deinit();
    gc_init(port_heap, end);
    memset(deleted, false, sizeof(deleted));
    mp_init();
}

// Does what a port's main program does.
static void main_task(void *unused) {
    (void)unused;
    mp_thread_init_main(main_stack);
    mp_cstack_init_with_top(main_stack + sizeof(main_stack), sizeof(main_stack));
    gc_init(port_heap, port_heap + sizeof(port_heap));
    mp_init();
    read_scenario();
    set_up_interrupts();
    set_up_guests();
    find_locks();
    bool reset = global(MP_QSTR_reset) != MP_OBJ_NULL;
    search_ask(POINT_START, NULL);
    call(MP_QSTR_main);
    if (reset) {
        soft_reset();
    }
    MP_THREAD_GIL_EXIT();
    model_wait_for_end();
    MP_THREAD_GIL_ENTER();
    mp_state_ctx.thread.mp_pending_exception = MP_OBJ_NULL;
    call(MP_QSTR_end);
    port_check_end();
    search_ask(POINT_END, NULL);
}

void port_create_main_task(void) {
    static StaticTask_t task;
    model_create_task(&task, main_task, NULL, main_stack, sizeof(main_stack), KERNEL_ANY_CORE);
    task.state = TASK_RUNNING;
    model.tasks = &task;
    model.cores[0].current = &task;
}

size_t port_heap_used(void) {
    const mp_state_mem_area_t *area = &MP_STATE_MEM(area);
    return area->gc_pool_start + (area->gc_last_used_block + 1) * MICROPY_BYTES_PER_GC_BLOCK - port_heap;
}

bool port_is_over(void) {
    return thread_list == &thread_main && guests_to_come == 0;
}

/******************************************************************************/
// What must hold

void port_check(void) {
    const char *wrong = observe_gil();
    for (size_t i = 0; wrong == NULL && i < n_locks; i++) {
        wrong = observe_lock(locks[i]);
    }
    if (wrong != NULL) {
        model_fail(wrong);
    }
}

void port_check_end(void) {
    if (thread_list != &thread_main) {
        model_fail("a thread waits for ever");
    }
    if (guests_to_come != 0) {
        model_fail("a guest waits for ever");
    }
    const char *wrong = observe_gil_at_the_end();
    if (wrong != NULL) {
        model_fail(wrong);
    }
    if (search->output_used != 0 && global(MP_QSTR_prints) == MP_OBJ_NULL) {
        model_fail("a thread has ended with an exception");
    }
}
