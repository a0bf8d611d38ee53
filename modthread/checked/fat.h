// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/vfs_fat.c: files.h, and two functions that have a whole sector on the stack.
// It must be left before they begin.

#ifndef MODTHREAD_CHECKED_FAT_H
#define MODTHREAD_CHECKED_FAT_H

#include "files.h"

#if MICROPY_VFS_FAT

#define STACK_NEED_SECTOR (FF_MAX_SS + STACK_NEED_FAT)

static mp_obj_t make_fat(mp_obj_t device) __attribute__((noinline));
static mp_obj_t mount_fat(mp_obj_t self, mp_obj_t readonly, mp_obj_t make) __attribute__((noinline));

static mp_obj_t fat_vfs_mkfs(mp_obj_t device) {
    stack_check(STACK_NEED_SECTOR);
    return make_fat(device);
}

static mp_obj_t vfs_fat_mount(mp_obj_t self, mp_obj_t readonly, mp_obj_t make) {
    stack_check(STACK_NEED_SECTOR);
    return mount_fat(self, readonly, make);
}

#define fat_vfs_mkfs(device) make_fat(device)
#define vfs_fat_mount(self, readonly, make) mount_fat(self, readonly, make)

#endif

#endif // MODTHREAD_CHECKED_FAT_H
