// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/vfs_lfs.c: littlefs, compiled with LFS2_THREADSAFE, calls these two
// around each of its operations. See file_system.c.

#include "checked/files.h"

#if MICROPY_VFS_LFS2

#include "lib/littlefs/lfs2.h"

int littlefs_enter(const struct lfs2_config *config);
int littlefs_leave(const struct lfs2_config *config);

static inline const struct lfs2_config *with_lock(struct lfs2_config *config) {
    stack_check(STACK_NEED_FILES);
    config->lock = littlefs_enter;
    config->unlock = littlefs_leave;
    return config;
}

#define lfs2_mount(lfs, config) lfs2_mount(lfs, with_lock(config))
#define lfs2_format(lfs, config) lfs2_format(lfs, with_lock(config))

#endif
