// This file is part of modthread. SPDX-License-Identifier: MIT
//
// The search. A run begins with the scenario as it was set up, makes the decisions that are given, and from then on the
// first choice of each. The next run changes the last decision that has a choice left: so all are made, depth first.
//
// Two reductions, both sound:
//  - A state that was explored with at least as large a budget is not explored again. The state is all memory of the
//    program that it may read: its variables, the heap's blocks in use, the used part of each stack, which has the registers
//    of who does not run. What follows is a function of it. (It is known by 64 bits of a hash.)
//  - An access to memory is a point only if another task or interrupt accesses the same word, one of them writes, and one
//    of them is not in a critical section. Any other access commutes with all that the others do up to the next point: what
//    comes between before it may as well come between there, for the same price. The set of words grows while runs are
//    made; then all runs are made anew, until it does not.

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "explorer.h"

#define DECISIONS_MAX (4096)
#define OPTIONS_MAX (32)
#define WORD (8)
#define TABLE_BITS_MIN (16)
#define TABLE_BITS_MAX (26)

extern char __data_start[], _end[], __start_arena[], __stop_arena[];

typedef enum {
    GO_ON,
    RUN, // a task on a core
    INTERRUPT,
    NOTHING, // the end of the scenario
} action_t;

typedef struct _option_t {
    action_t action;
    int core;
    StaticTask_t *task;
    interrupt_t interrupt;
    int cost;
} option_t;

typedef struct _decision_t {
    uint64_t point;
    uint16_t options;
    uint16_t chosen;
} decision_t;

typedef struct _seen_t {
    uint64_t hash;
    uint32_t run;
    int32_t budget;
} seen_t;

typedef struct _accesses_t {
    uint8_t readers;
    uint8_t writers;
    bool unlocked;
    bool point;
} accesses_t;

static struct {
    search_t shared;
    decision_t decisions[DECISIONS_MAX];
    size_t made; // decisions of this run
    size_t given; // of those, how many are replayed
    uint8_t *snapshot;
    size_t size;
    accesses_t *accesses;
    bool more_points;
    seen_t *seen;
    unsigned int seen_bits;
    uint64_t states;
    uint64_t runs;
    uint64_t pruned;
    uint64_t all_points;
    int bound;
    sigjmp_buf crash;
    double deadline;
} *own;

search_t *search;

// Of the processor: how busy the host is does not matter.
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static void *allocate(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("explorer");
        exit(2);
    }
    return memory;
}

/******************************************************************************/
// The state

static uint64_t hash_bytes(uint64_t hash, const void *from, const void *to) {
    const uint64_t *word = (const uint64_t *)((uintptr_t)from & ~(uintptr_t)7);
    size_t n = ((uintptr_t)to - (uintptr_t)word) / 8;
    uint64_t a = hash, b = n, c = 3, d = 4;
    for (; n >= 4; n -= 4, word += 4) {
        a = (a ^ word[0]) * 0x9e3779b97f4a7c15u;
        b = (b ^ word[1]) * 0xbf58476d1ce4e5b9u;
        c = (c ^ word[2]) * 0x94d049bb133111ebu;
        d = (d ^ word[3]) * 0xd6e8feb86659fd93u;
        a ^= a >> 29;
        b ^= b >> 31;
        c ^= c >> 30;
        d ^= d >> 32;
    }
    for (; n > 0; n--, word++) {
        a = (a ^ *word) * 0x9e3779b97f4a7c15u;
        a ^= a >> 29;
    }
    hash = a ^ (b << 17 | b >> 47) ^ (c << 31 | c >> 33) ^ (d << 45 | d >> 19);
    return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
}

static uint64_t hash_stack(uint64_t hash, const StaticTask_t *task) {
    hash = hash_bytes(hash, task->stack, (uint8_t *)task->stack + 128); // what a thread keeps at its end
    return hash_bytes(hash, task->sp, (uint8_t *)task->stack + task->stack_size);
}

static uint64_t hash_state(void) {
    uint64_t hash = hash_bytes(1, __data_start, __start_arena);
    hash = hash_bytes(hash, __stop_arena, _end);
    hash = hash_bytes(hash, port_heap, port_heap + port_heap_used());
    for (StaticTask_t *task = model.tasks; task != NULL; task = task->next) {
        hash = hash_stack(hash, task);
    }
    for (int i = 0; i < KERNEL_CORES; i++) {
        hash = hash_stack(hash, &model.cores[i].idle);
    }
    return hash;
}

static seen_t *find(uint64_t hash) {
    size_t mask = ((size_t)1 << own->seen_bits) - 1;
    size_t i = hash & mask;
    while (own->seen[i].hash != 0 && own->seen[i].hash != hash) {
        i = (i + 1) & mask;
    }
    return &own->seen[i];
}

static void grow_table(void) {
    seen_t *old = own->seen;
    size_t n = (size_t)1 << own->seen_bits;
    own->seen_bits++;
    own->seen = allocate(sizeof(seen_t) << own->seen_bits);
    for (size_t i = 0; i < n; i++) {
        if (old[i].hash != 0) {
            *find(old[i].hash) = old[i];
        }
    }
    munmap(old, n * sizeof(seen_t));
}

static void clear_table(void) {
    munmap(own->seen, sizeof(seen_t) << own->seen_bits);
    own->seen_bits = TABLE_BITS_MIN;
    own->seen = allocate(sizeof(seen_t) << own->seen_bits);
    own->states = 0;
}

// True if nothing new can come of this state. One that comes again in the same run is a loop, and may have no end.
static bool was_seen(void) {
    uint64_t hash = hash_state() | 1;
    seen_t *seen = find(hash);
    if (seen->hash == hash) {
        if (seen->budget >= search->budget) {
            return seen->run != (uint32_t)own->runs;
        }
    } else if (own->seen_bits == TABLE_BITS_MAX && own->states > ((uint64_t)3 << own->seen_bits) / 4) {
        return false; // no room: explored again and again
    } else {
        own->states++;
    }
    *seen = (seen_t) { .hash = hash, .run = (uint32_t)own->runs, .budget = search->budget };
    if (own->states > ((uint64_t)3 << own->seen_bits) / 4 && own->seen_bits < TABLE_BITS_MAX) {
        grow_table();
    }
    return false;
}

static uint8_t *state_begin(void) {
    return (uint8_t *)&__data_start[0];
}

static void take_snapshot(void) {
    own->size = (const uint8_t *)&_end[0] - state_begin();
    own->snapshot = allocate(own->size);
    own->accesses = allocate((own->size / WORD + 1) * sizeof(accesses_t));
    memcpy(own->snapshot, state_begin(), own->size);
}

/******************************************************************************/
// Points

bool search_note_access(const void *address, size_t size, bool write) {
    size_t first = ((const uint8_t *)address - state_begin()) / WORD;
    size_t last = ((const uint8_t *)address + size - 1 - state_begin()) / WORD;
    const core_t *core = &model.cores[model.active];
    uint8_t who = core->in_interrupt ? 0x40 << model.active : 1 << (search->executing->number & 7) % 6;
    bool point = false;
    for (size_t i = first; i <= last && i < own->size / WORD; i++) {
        accesses_t *accesses = &own->accesses[i];
        if (write) {
            accesses->writers |= who;
        } else {
            accesses->readers |= who;
        }
        accesses->unlocked |= core->lock_depth == 0;
        uint8_t all = accesses->readers | accesses->writers;
        if (!accesses->point && accesses->unlocked && accesses->writers != 0 && (all & (all - 1)) != 0) {
            accesses->point = true;
            own->more_points = true;
        }
        point |= accesses->point;
    }
    return point;
}

int search_ask(point_t kind, const void *where) {
    search->kind = kind;
    search->where = where;
    if (!search->exploring && kind != POINT_START && kind != POINT_END && kind != POINT_FAILED) {
        search->kind = POINT_FAILED;
        search->failure = "a thread blocks where none may";
    }
    sanitizer_leave_task();
    model_switch(&search->executing->sp, search->sp);
    sanitizer_enter_task();
    return search->interrupt;
}

void model_fail(const char *why) {
    search->failure = why;
    if (search->executing == NULL) {
        siglongjmp(own->crash, 1); // the search has found it itself
    }
    for (;;) {
        search_ask(POINT_FAILED, __builtin_return_address(0));
    }
}

static void resume(int interrupt) {
    core_t *core = &model.cores[model.active];
    search->interrupt = interrupt;
    search->executing = core->current;
    sanitizer_leave_search(core->current->stack, core->current->stack_size);
    model_switch(&search->sp, core->current->sp);
    sanitizer_enter_search();
    search->executing = NULL;
}

/******************************************************************************/
// Decisions

static void say_task(const StaticTask_t *task) {
    if (task->number < 0) {
        printf("idle");
    } else if (task->number == 0) {
        printf("main");
    } else {
        printf("task%d", task->number);
    }
}

static const char *interrupt_name(interrupt_t kind) {
    static const char *const names[] = { "tick", "ctrl_c", "notify", "handler", "callback" };
    return names[kind];
}

// A line of the schedule: core, task, what, where.
static void say(const StaticTask_t *task, const char *what, const char *more, const void *where) {
    if (search->tracing) {
        printf("step|%d|", model.active);
        say_task(task);
        printf("|%s%s|%p\n", what, more, where);
    }
}

static void expect_next_decision(void) {
    search->replaying = own->made < own->given;
    if (search->replaying) {
        search->next_decision = own->decisions[own->made].point;
    }
}

// Returns the option that is taken, or -1 if the run ends here because this state is known.
static int choose(uint64_t point, const option_t *options, int n) {
    if (search->replaying) {
        if (own->decisions[own->made].point != point) {
            return 0;
        }
        decision_t *decision = &own->decisions[own->made++];
        if (decision->options != 0 && decision->options != n) {
            fprintf(stderr, "explorer: the same decisions do not lead to the same run\n");
            exit(2);
        }
        expect_next_decision();
        return decision->chosen < n ? decision->chosen : 0;
    }
    if (search->tracing) {
        return 0;
    }
    if (was_seen()) {
        return -1;
    }
    if (n > 1 && own->made < DECISIONS_MAX) {
        own->decisions[own->made++] = (decision_t) { .point = point, .options = n };
        own->given = own->made;
    }
    return 0;
}

static bool is_masked(const core_t *core) {
    return core->lock_depth != 0 || core->in_interrupt;
}

static bool may_run(const StaticTask_t *task, int core) {
    return task->state == TASK_READY && (task->core == KERNEL_ANY_CORE || task->core == core);
}

// The tasks that a core could run instead of what it runs, or that one.
static int add_tasks(option_t *options, int n, int core, int cost, bool others) {
    if (model.stopper >= 0 && model.stopper != core) {
        return n;
    }
    StaticTask_t *current = model.cores[core].current;
    bool idle = current == &model.cores[core].idle && !is_masked(&model.cores[core]);
    if (!idle && !others) {
        options[n++] = (option_t) { .action = RUN, .core = core, .task = current, .cost = cost };
        return n;
    }
    for (StaticTask_t *task = model.tasks; task != NULL && n < OPTIONS_MAX; task = task->next) {
        if (may_run(task, core)) {
            options[n++] = (option_t) { .action = RUN, .core = core, .task = task, .cost = cost };
        }
    }
    return n;
}

static int add_interrupts(option_t *options, int n, int cost, int first) {
    for (int kind = first; kind < INTERRUPT_KINDS; kind++) {
        if (model.left[kind] > 0 && n < OPTIONS_MAX) {
            options[n++] = (option_t) { .action = INTERRUPT, .core = model.active, .interrupt = kind, .cost = cost };
        }
    }
    return n;
}

// At a point: go on, or pay.
static int options_at_point(option_t *options) {
    int n = 0;
    options[n++] = (option_t) { .action = GO_ON };
    if (search->budget == 0 && !search->replaying) {
        return n;
    }
    for (int core = 0; core < KERNEL_CORES; core++) {
        if (core != model.active) {
            n = add_tasks(options, n, core, 1, false);
        }
    }
    if (!is_masked(&model.cores[model.active])) {
        n = add_tasks(options, n, model.active, 1, true);
        n = add_interrupts(options, n, 1, INTERRUPT_TICK);
    }
    return n;
}

// The processor is free: what runs now costs nothing.
static int options_when_blocked(option_t *options) {
    int n = 0;
    for (int i = 0; i < KERNEL_CORES; i++) {
        n = add_tasks(options, n, (model.active + i) % KERNEL_CORES, 0, false);
    }
    if (n != 0) {
        return n;
    }
    bool timed = model.alarm_us != UINT64_MAX;
    StaticTask_t *waits_for_end = NULL;
    for (StaticTask_t *task = model.tasks; task != NULL; task = task->next) {
        timed |= task->state == TASK_BLOCKED && task->timed;
        if (task->waits_for_end && task->number == 0) {
            waits_for_end = task;
        }
    }
    if (waits_for_end == NULL || !port_is_over()) {
        if (timed) {
            options[n++] = (option_t) { .action = INTERRUPT, .core = model.active, .interrupt = INTERRUPT_TICK };
        }
        n = add_interrupts(options, n, 0, INTERRUPT_TICK + 1);
    }
    if (n == 0) {
        if (waits_for_end == NULL) {
            model_fail("the main thread waits for ever");
        }
        options[n++] = (option_t) { .action = NOTHING, .core = model.active, .task = waits_for_end };
    }
    return n;
}

// The tick is over: another task of this core may have its turn. One that is busy goes on when others have.
static int options_of_slice(option_t *options, bool busy) {
    int n = 0;
    if (!busy) {
        options[n++] = (option_t) { .action = GO_ON };
    }
    for (int core = 0; busy && core < KERNEL_CORES; core++) {
        if (core != model.active) {
            n = add_tasks(options, n, core, 0, false);
        }
    }
    n = add_tasks(options, n, model.active, 0, true);
    if (n == 0) {
        options[n++] = (option_t) { .action = GO_ON };
    }
    return n;
}

// Another core must go on.
static int options_when_spinning(option_t *options) {
    int n = 0;
    for (int core = 0; core < KERNEL_CORES; core++) {
        if (core != model.active) {
            n = add_tasks(options, n, core, 0, false);
        }
    }
    if (n == 0) {
        model_fail("a core waits for ever");
    }
    return n;
}

static void put_on_core(StaticTask_t *task, int number) {
    core_t *core = &model.cores[number];
    if (core->current != task) {
        if (core->current->state == TASK_RUNNING) {
            core->current->state = TASK_READY;
        }
        core->current = task;
        task->state = TASK_RUNNING;
    }
    model.active = number;
}

static void take(const option_t *option) {
    search->budget -= option->cost;
    if (search->budget < 0) {
        search->budget = 0;
    }
    switch (option->action) {
        case RUN:
            if (option->cost != 0) {
                say(model.cores[model.active].current, "stops", "", search->where);
            }
            put_on_core(option->task, option->core);
            say(option->task, "runs", "", NULL);
            resume(-1);
            break;
        case INTERRUPT:
            if (model.left[option->interrupt] > 0) {
                model.left[option->interrupt]--;
            }
            say(model.cores[model.active].current, "is interrupted: ", interrupt_name(option->interrupt), search->where);
            resume(option->interrupt);
            break;
        case NOTHING:
            search->exploring = false;
            put_on_core(option->task, option->core);
            resume(-1);
            break;
        default:
            resume(-1);
            break;
    }
}

static bool somebody_is_in_critical_section(void) {
    for (int i = 0; i < KERNEL_CORES; i++) {
        if (model.cores[i].lock_depth != 0) {
            return true;
        }
    }
    return false;
}

// Decide what happens now, and let it. Returns false if the run ends here.
static bool step(void) {
    option_t options[OPTIONS_MAX];
    int n;
    uint64_t point = search->points - 1;
    core_t *core = &model.cores[model.active];
    if (!somebody_is_in_critical_section()) {
        port_check();
    }
    switch (search->kind) {
        case POINT_BLOCKED:
            say(core->current, "waits", "", search->where);
            core->current = &core->idle;
            core->idle.state = TASK_RUNNING;
        // fall through
        case POINT_IDLE:
            point = search->points++;
            n = options_when_blocked(options);
            break;
        case POINT_SLICE:
        case POINT_BUSY:
            point = search->points++;
            n = options_of_slice(options, search->kind == POINT_BUSY);
            break;
        case POINT_SPINS:
            point = search->points++;
            n = options_when_spinning(options);
            break;
        default:
            n = options_at_point(options);
            if (n == 1) {
                take(&options[0]);
                return true;
            }
            break;
    }
    int chosen = choose(point, options, n);
    if (chosen < 0) {
        own->pruned++;
        return false;
    }
    take(&options[chosen]);
    return true;
}

static void on_crash(int number) {
    (void)number;
    search->failure = "the program has crashed: it has used memory that is not its own";
    siglongjmp(own->crash, 1);
}

// Make a run with the decisions that are given. Returns false if it has failed.
static bool run(void) {
    memcpy(state_begin(), own->snapshot, own->size);
    own->runs++;
    own->made = 0;
    sanitizer_mark(__start_arena, __stop_arena - __start_arena, false);
    search->failure = NULL;
    search->output_used = 0;
    search->points = 0;
    search->budget = own->bound;
    search->exploring = true;
    search->executing = NULL;
    expect_next_decision();
    if (sigsetjmp(own->crash, 0) == 0) {
        resume(-1);
        while (search->kind != POINT_END && search->kind != POINT_FAILED && step()) {
        }
    } else {
        sanitizer_leave_task(); // it has crashed
        sanitizer_enter_search();
    }
    search->exploring = false;
    own->all_points += search->points;
    return search->failure == NULL;
}

// The next run's decisions; false if all were made.
static bool next(void) {
    while (own->given > 0) {
        decision_t *last = &own->decisions[own->given - 1];
        if (last->chosen + 1 < last->options) {
            last->chosen++;
            return true;
        }
        own->given--;
    }
    return false;
}

typedef enum {
    FOUND,
    COMPLETE,
    NO_TIME,
} result_t;

static result_t explore(int bound) {
    own->bound = bound;
    do {
        own->more_points = false;
        clear_table();
        own->given = 0;
        do {
            if (!run()) {
                return FOUND;
            }
            own->given = own->made;
            if (own->deadline != 0 && own->runs % 64 == 0 && seconds() > own->deadline) {
                return NO_TIME;
            }
        } while (next());
    } while (own->more_points);
    return COMPLETE;
}

/******************************************************************************/
// A failing schedule

// Leave out what it fails without.
static void shrink(void) {
    size_t kept = 0;
    for (size_t i = 0; i < own->made; i++) {
        if (own->decisions[i].chosen != 0) {
            own->decisions[kept++] = own->decisions[i];
        }
    }
    decision_t all[DECISIONS_MAX];
    size_t i = 0;
    search->tracing = false;
    while (i < kept) {
        memcpy(all, own->decisions, kept * sizeof(*all));
        for (size_t j = i; j < kept; j++) {
            own->decisions[j].options = 0; // they may be others without it
        }
        memmove(&own->decisions[i], &own->decisions[i + 1], (kept - i - 1) * sizeof(*all));
        own->given = kept - 1;
        // From the last decision on the run makes first choices, and meets no state that it has to leave.
        clear_table();
        bool failed = !run();
        if (failed) {
            kept--;
        } else {
            memcpy(own->decisions, all, kept * sizeof(*all));
            i++;
        }
    }
    own->given = kept;
}

static void print_schedule(void) {
    search->tracing = true;
    run();
    search->tracing = false;
    printf("failure|%s\n", search->failure == NULL ? "none" : search->failure);
    if (search->output_used != 0) {
        printf("output|%.*s\n", (int)search->output_used, search->output);
    }
    printf("replay|");
    for (size_t i = 0; i < own->given; i++) {
        printf("%s%llu:%u", i == 0 ? "" : ",", (unsigned long long)own->decisions[i].point, own->decisions[i].chosen);
    }
    printf("\n");
}

static void read_schedule(const char *text) {
    while (*text != 0) {
        char *end;
        decision_t *decision = &own->decisions[own->given++];
        decision->point = strtoull(text, &end, 10);
        decision->chosen = strtoul(end + 1, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
}

static void set_up(void) {
    if ((uintptr_t)__start_arena < (uintptr_t)__data_start || (uintptr_t)__stop_arena > (uintptr_t)_end) {
        fprintf(stderr, "explorer: the linker has put the arena elsewhere\n");
        exit(2);
    }
    own = allocate(sizeof(*own));
    search = &own->shared;
    own->seen = allocate(sizeof(seen_t) << TABLE_BITS_MIN);
    own->seen_bits = TABLE_BITS_MIN;
    stack_t stack = { .ss_sp = allocate(65536), .ss_size = 65536 };
    sigaltstack(&stack, NULL);
    struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    model_init();
    port_create_main_task();
    if (sigsetjmp(own->crash, 0) == 0) {
        resume(-1);
    }
    if (search->kind != POINT_START || search->failure != NULL) {
        fprintf(stderr, "explorer: %s: %s\n", scenario_path, search->failure);
        exit(2);
    }
    take_snapshot();
}

// explorer SCENARIO BOUND [SECONDS [SCHEDULE]]
int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: explorer SCENARIO BOUND [SECONDS [SCHEDULE]]\n");
        return 2;
    }
    scenario_path = argv[1];
    int bound = atoi(argv[2]);
    set_up();
    if (argc > 4) {
        own->bound = bound;
        read_schedule(argv[4]);
        print_schedule();
        return search->failure != NULL;
    }
    double start = seconds();
    double limit = argc > 3 ? atof(argv[3]) : 0;
    own->deadline = limit != 0 ? start + limit : 0;
    result_t result = COMPLETE;
    int reached = -1;
    for (int b = 0; b <= bound && result == COMPLETE; b++) {
        result = explore(b);
        if (result == COMPLETE) {
            reached = b;
        }
    }
    printf("runs|%llu\nstates|%llu\npoints|%llu\npruned|%llu\nbound|%d\nseconds|%.1f\n", (unsigned long long)own->runs,
        (unsigned long long)own->states, (unsigned long long)own->all_points, (unsigned long long)own->pruned, reached,
        seconds() - start);
    if (result == FOUND) {
        shrink();
        print_schedule();
        return 1;
    }
    return result == COMPLETE ? 0 : 3;
}
