// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/builtin.h"
#include "py/runtime.h"

#include "event_loop.h"
#include "gil.h"
#include "import.h"
#include "scheduler.h"

// A call of __import__(), on the stack of its thread.
typedef struct _import_t {
    nlr_jump_callback_node_t ends;
    struct _import_t *next;
    thread_t *thread;
    qstr claims; // the module that it looks for, loads and runs
    qstr awaits; // the one that another thread has claimed
} import_t;

static import_t *imports; // the newest first

static import_t *newest_of(const thread_t *thread) {
    import_t *import = imports;
    while (import != NULL && import->thread != thread) {
        import = import->next;
    }
    return import;
}

static thread_t *claimant(qstr name) {
    for (const import_t *import = imports; import != NULL; import = import->next) {
        if (import->claims == name) {
            return import->thread;
        }
    }
    return NULL;
}

// True if the claimant waits, over however many others, for what the calling thread has claimed.
static bool is_deadlock(const thread_t *thread) {
    while (thread != NULL && thread != gil_current) {
        const import_t *import = newest_of(thread);
        thread = import->awaits == MP_QSTRnull ? NULL : claimant(import->awaits);
    }
    return thread != NULL;
}

static void claim(import_t *import, qstr name) {
    if (import->claims != MP_QSTRnull) {
        for (const import_t *i = imports; i != NULL; i = i->next) {
            if (i->awaits == import->claims) {
                gil_wake(i->thread);
            }
        }
    }
    import->claims = name;
}

static bool must_wait(qstr name) {
    const thread_t *thread = claimant(name);
    return thread != NULL && !is_deadlock(thread) && !scheduler_is_locked() && gil_pins == 0;
}

// The thread owns the GIL from its last look to its park: no wake-up is lost.
static void wait_for(import_t *import, qstr name) {
    while (must_wait(name)) {
        import->awaits = name;
        scheduler_unlock_and_park(DEADLINE_NEVER, kernel_lock(), false);
        import->awaits = MP_QSTRnull;
        mp_event_handle_nowait();
    }
}

// Among others called to see whether a module is loaded.
mp_map_elem_t *import_map_lookup(mp_map_t *map, mp_obj_t key, mp_map_lookup_kind_t kind) {
    import_t *import = newest_of(gil_current);
    if (map != &MP_STATE_VM(mp_loaded_modules_dict).map || kind != MP_MAP_LOOKUP || import == NULL) {
        return mp_map_lookup(map, key, kind);
    }
    qstr name = MP_OBJ_QSTR_VALUE(key);
    wait_for(import, name);
    mp_map_elem_t *element = mp_map_lookup(map, key, kind);
    if (element == NULL) {
        claim(import, name);
    }
    return element;
}

static void end_import(void *ends) {
    import_t *import = ends;
    claim(import, MP_QSTRnull);
    import_t **link = &imports;
    while (*link != import) {
        link = &(*link)->next;
    }
    *link = import->next;
}

// MicroPython lets ports define their own (py/builtin.h).
mp_obj_t import_module(size_t n_args, const mp_obj_t *args) {
    import_t import = { .next = imports, .thread = gil_current };
    imports = &import;
    nlr_push_jump_callback(&import.ends, end_import);
    mp_obj_t module = mp_builtin___import___default(n_args, args);
    event_loop_guard(import.claims);
    nlr_pop_jump_callback(true);
    return module;
}

void import_reset(void) {
    imports = NULL;
}
