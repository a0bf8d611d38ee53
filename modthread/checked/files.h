// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's py/builtinimport.c and extmod/vfs_*.c: they need more stack than is left where
// Python code has come near to its end. Here, what goes into a file system looks first, and so does `import`.

#ifndef MODTHREAD_CHECKED_FILES_H
#define MODTHREAD_CHECKED_FILES_H

#include "py/runtime.h"

#include "../stack.h"

#define CHECKED(function, ...) (stack_check(STACK_NEED_FILES), function(__VA_ARGS__))

// All that take the name of a file or a mode begin with it, before anything is made.
#define mp_obj_str_get_str(...) CHECKED(mp_obj_str_get_str, __VA_ARGS__)

// builtinimport.c: a path is on the stack. The function's definition has a type as the first word of its argument.
#define process_import_at_level(name, ...) process_import_at_level(CHECKED_##name, __VA_ARGS__)
#define CHECKED_qstr qstr
#define CHECKED_full_mod_name (stack_check(STACK_NEED_IMPORT), full_mod_name)

// The garbage collector closes what nobody has closed, and where it runs there may be too little for that: then the file is
// closed without what would be written. Closing writes what the flags say, which ..._give_up() clears.

#if MICROPY_VFS_LFS1

#include "lib/littlefs/lfs1.h"

#define lfs1_dir_read(...) CHECKED(lfs1_dir_read, __VA_ARGS__)
#define lfs1_file_close(lfs, file) lfs1_file_close(lfs, stack_enough_to_close() ? (file) : lfs1_give_up(file))
#define lfs1_file_read(...) CHECKED(lfs1_file_read, __VA_ARGS__)
#define lfs1_file_seek(...) CHECKED(lfs1_file_seek, __VA_ARGS__)
#define lfs1_file_sync(...) CHECKED(lfs1_file_sync, __VA_ARGS__)
#define lfs1_file_write(...) CHECKED(lfs1_file_write, __VA_ARGS__)
#define lfs1_format(...) CHECKED(lfs1_format, __VA_ARGS__)
#define lfs1_mount(...) CHECKED(lfs1_mount, __VA_ARGS__)
#define lfs1_stat(...) CHECKED(lfs1_stat, __VA_ARGS__)
#define lfs1_traverse(...) CHECKED(lfs1_traverse, __VA_ARGS__)

static inline lfs1_file_t *lfs1_give_up(lfs1_file_t *file) {
    file->flags &= ~(LFS1_F_DIRTY | LFS1_F_WRITING);
    return file;
}

#endif

#if MICROPY_VFS_LFS2

#include "lib/littlefs/lfs2.h"

#define lfs2_dir_read(...) CHECKED(lfs2_dir_read, __VA_ARGS__)
#define lfs2_file_close(lfs, file) lfs2_file_close(lfs, stack_enough_to_close() ? (file) : lfs2_give_up(file))
#define lfs2_file_read(...) CHECKED(lfs2_file_read, __VA_ARGS__)
#define lfs2_file_seek(...) CHECKED(lfs2_file_seek, __VA_ARGS__)
#define lfs2_file_sync(...) CHECKED(lfs2_file_sync, __VA_ARGS__)
#define lfs2_file_write(...) CHECKED(lfs2_file_write, __VA_ARGS__)
#define lfs2_fs_traverse(...) CHECKED(lfs2_fs_traverse, __VA_ARGS__)
#define lfs2_stat(...) CHECKED(lfs2_stat, __VA_ARGS__)

static inline lfs2_file_t *lfs2_give_up(lfs2_file_t *file) {
    file->flags &= ~(LFS2_F_DIRTY | LFS2_F_WRITING);
    return file;
}

#endif

#if MICROPY_VFS_FAT

#include "lib/oofatfs/ff.h"

// A long name may be on the stack, as ffconf.h says.
#define STACK_NEED_FAT (STACK_NEED_FILES + (FF_USE_LFN == 2 ? (FF_MAX_LFN + 1) * sizeof(WCHAR) : 0))
#define CHECKED_FAT(function, ...) (stack_check(STACK_NEED_FAT), function(__VA_ARGS__))

#define f_close(file) f_close(stack_enough_to_close() ? (file) : fat_give_up(file))
#define f_chdir(...) CHECKED_FAT(f_chdir, __VA_ARGS__)
#define f_getcwd(...) CHECKED_FAT(f_getcwd, __VA_ARGS__)
#define f_getfree(...) CHECKED_FAT(f_getfree, __VA_ARGS__)
#define f_lseek(...) CHECKED_FAT(f_lseek, __VA_ARGS__)
#define f_mkdir(...) CHECKED_FAT(f_mkdir, __VA_ARGS__)
#define f_mkfs(...) CHECKED_FAT(f_mkfs, __VA_ARGS__)
#define f_mount(...) CHECKED_FAT(f_mount, __VA_ARGS__)
#define f_open(...) CHECKED_FAT(f_open, __VA_ARGS__)
#define f_opendir(...) CHECKED_FAT(f_opendir, __VA_ARGS__)
#define f_read(...) CHECKED_FAT(f_read, __VA_ARGS__)
#define f_readdir(...) CHECKED_FAT(f_readdir, __VA_ARGS__)
#define f_rename(...) CHECKED_FAT(f_rename, __VA_ARGS__)
#define f_stat(...) CHECKED_FAT(f_stat, __VA_ARGS__)
#define f_sync(...) CHECKED_FAT(f_sync, __VA_ARGS__)
#define f_unlink(...) CHECKED_FAT(f_unlink, __VA_ARGS__)
#define f_write(...) CHECKED_FAT(f_write, __VA_ARGS__)

#define FAT_MODIFIED (0x40) // FA_MODIFIED of lib/oofatfs/ff.c

static inline FIL *fat_give_up(FIL *file) {
    file->flag &= ~FAT_MODIFIED;
    return file;
}

#endif

#endif // MODTHREAD_CHECKED_FILES_H
