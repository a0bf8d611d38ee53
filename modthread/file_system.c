// This file is part of modthread. SPDX-License-Identifier: MIT
//
// A file system is known by the place of its mp_vfs_blockdev_t. Nothing of it is allocated: calls of Python and waiting
// threads are records on their stacks.

#include "py/gc.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"

#include "file_system.h"
#include "gil.h"
#include "scheduler.h"

#if MICROPY_VFS

// A block device's method runs.
typedef struct _method_call_t {
    nlr_jump_callback_node_t failed;
    struct _method_call_t *next;
    thread_t *thread;
    const mp_obj_t *method; // in the mp_vfs_blockdev_t
} method_call_t;

// A thread waits for a file system.
typedef struct _entrant_t {
    struct _entrant_t *next;
    thread_t *thread;
    const mp_vfs_blockdev_t *device;
    bool may_enter; // it is its turn, and nobody else's
} entrant_t;

// How long a wait goes on when the thread has an exception pending.
#define INTERRUPTED_US (1000000)

static method_call_t *calls;
static entrant_t *entrants; // in the order in which they came

static bool is_of(const mp_obj_t *method, const mp_vfs_blockdev_t *device) {
    return (const char *)method >= (const char *)device && (const char *)method < (const char *)(device + 1);
}

static const method_call_t *call_of(const mp_vfs_blockdev_t *device) {
    const method_call_t *call = calls;
    while (call != NULL && !is_of(call->method, device)) {
        call = call->next;
    }
    return call;
}

static entrant_t *first_entrant(const mp_vfs_blockdev_t *device) {
    entrant_t *entrant = entrants;
    while (entrant != NULL && entrant->device != device) {
        entrant = entrant->next;
    }
    return entrant;
}

// An operation has ended: it is the next one's turn. Not amidst another one, which a finaliser may be in.
static void leave(const mp_vfs_blockdev_t *device) {
    entrant_t *entrant = first_entrant(device);
    if (entrant != NULL && call_of(device) == NULL) {
        entrant->may_enter = true;
        gil_wake(entrant->thread);
    }
}

static void entrants_append(entrant_t *entrant) {
    entrant_t **link = &entrants;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = entrant;
}

static void entrants_remove(const entrant_t *entrant) {
    entrant_t **link = &entrants;
    while (*link != entrant) {
        link = &(*link)->next;
    }
    *link = entrant->next;
}

// Wait in line; false if an exception is pending and it takes long. It is not raised here: a file that is being opened
// could not bear it. Callbacks come afterwards. The thread owns the GIL from its last look to its park: no wake-up is lost.
static bool wait_in_line(const mp_vfs_blockdev_t *device) {
    entrant_t entrant = { .thread = gil_current, .device = device };
    entrants_append(&entrant);
    deadline_t deadline = DEADLINE_NEVER;
    while (!entrant.may_enter && !deadline_passed(deadline)) {
        uint32_t state = kernel_lock();
        if (deadline == DEADLINE_NEVER && scheduler_exception_pending()) {
            deadline = deadline_after_us(INTERRUPTED_US);
        }
        gil_unlock_and_park(deadline, state, false);
    }
    entrants_remove(&entrant);
    return entrant.may_enter;
}

// Begin an operation; 0, or a negative error number. Whoever goes on from here is C code alone until it makes a call.
static int enter(const mp_vfs_blockdev_t *device) {
    if (calls == NULL && entrants == NULL) {
        return 0;
    }
    if (scheduler_is_locked()) {
        return 0; // a finaliser closes its file, or the file system keeps a pointer to what is freed
    }
    const method_call_t *call = call_of(device);
    if (call != NULL && (call->thread == gil_current || gil_pins > 0)) {
        return -MP_EBUSY; // a callback, or the device's own method; or one that may not wait
    }
    bool wait = call != NULL || first_entrant(device) != NULL;
    return wait && !wait_in_line(device) ? -MP_EINTR : 0;
}

/******************************************************************************/
// Calls of block devices

static void end_call(const method_call_t *call) {
    method_call_t **link = &calls;
    while (*link != call) {
        link = &(*link)->next;
    }
    *link = call->next;
}

// An exception passes through the file system, to whoever has called that.
static void call_failed(void *failed) {
    const method_call_t *call = failed;
    end_call(call);
    for (const entrant_t *entrant = entrants; entrant != NULL; entrant = entrant->next) {
        if (is_of(call->method, entrant->device)) {
            leave(entrant->device);
            return;
        }
    }
}

mp_obj_t file_system_call_method(size_t n_args, size_t n_kw, const mp_obj_t *method) {
    method_call_t call = { .next = calls, .thread = gil_current, .method = method };
    calls = &call;
    nlr_push_jump_callback(&call.failed, call_failed);
    mp_obj_t result = mp_call_method_n_kw(n_args, n_kw, method);
    nlr_pop_jump_callback(false);
    end_call(&call);
    return result;
}

/******************************************************************************/
// The doors that the file systems have for this

#if MICROPY_VFS_LFS2

#include "littlefs_lock.h"

int littlefs_enter(const struct lfs2_config *config) {
    return enter(config->context);
}

int littlefs_leave(const struct lfs2_config *config) {
    leave(config->context);
    return 0;
}

#endif

#if MICROPY_VFS_FAT

#include "extmod/vfs_fat.h"

int ff_cre_syncobj(FATFS *fatfs, FF_SYNC_t *device) {
    *device = (FF_SYNC_t)&((fs_user_mount_t *)fatfs->drv)->blockdev;
    return 1;
}

int ff_req_grant(FF_SYNC_t device) {
    return enter((const mp_vfs_blockdev_t *)device) == 0;
}

void ff_rel_grant(FF_SYNC_t device) {
    leave((const mp_vfs_blockdev_t *)device);
}

int ff_del_syncobj(FF_SYNC_t device) {
    (void)device;
    return 1;
}

#if FF_USE_LFN == 3

// For long names. What an exception leaves behind the garbage collector frees.
void *ff_memalloc(UINT size) {
    return gc_alloc(size, 0);
}

void ff_memfree(void *block) {
    gc_free(block);
}

#endif

#endif

void file_system_reset(void) {
    calls = NULL;
    entrants = NULL;
}

#else

void file_system_reset(void) {
}

#endif
