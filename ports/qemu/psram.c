// This file is part of modthread. SPDX-License-Identifier: MIT
//
// machine.PSRAM(): a block device in the board's PSRAM, which keeps it through soft resets and machine.reset(). Application note
// AN385, section 3.1. In C, so that a file system can use it wherever it is called, in a finaliser, too.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"

#include "psram.h"

#define PSRAM ((uint8_t *)0x21000000)
#define BLOCK_SIZE (1024)
#define BLOCKS (1024)

static mp_obj_t make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    static const mp_obj_base_t device = { &machine_psram_type };
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&device);
}

// The arguments of readblocks() and writeblocks(): device, block, buffer, and where in the block it begins.
static uint8_t *place_of(size_t n_args, const mp_obj_t *args, mp_buffer_info_t *buffer, mp_uint_t flags) {
    size_t start = (size_t)mp_obj_get_int(args[1]) * BLOCK_SIZE + (n_args > 3 ? (size_t)mp_obj_get_int(args[3]) : 0);
    mp_get_buffer_raise(args[2], buffer, flags);
    if (start > BLOCKS * BLOCK_SIZE || buffer->len > BLOCKS * BLOCK_SIZE - start) {
        mp_raise_OSError(MP_EINVAL);
    }
    return PSRAM + start;
}

static mp_obj_t readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buffer;
    const uint8_t *place = place_of(n_args, args, &buffer, MP_BUFFER_WRITE);
    memcpy(buffer.buf, place, buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(readblocks_obj, 3, 4, readblocks);

static mp_obj_t writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buffer;
    uint8_t *place = place_of(n_args, args, &buffer, MP_BUFFER_READ);
    memcpy(place, buffer.buf, buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(writeblocks_obj, 3, 4, writeblocks);

static mp_obj_t ioctl(mp_obj_t self, mp_obj_t operation, mp_obj_t argument) {
    (void)self;
    (void)argument;
    switch (mp_obj_get_int(operation)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(BLOCKS);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BLOCK_SIZE);
        default: // nothing to be done
            return MP_OBJ_NEW_SMALL_INT(0);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(ioctl_obj, ioctl);

static const mp_rom_map_elem_t locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(locals, locals_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_psram_type,
    MP_QSTR_PSRAM,
    MP_TYPE_FLAG_NONE,
    make_new, make_new,
    locals_dict, &locals
    );
