// This file is part of modthread. SPDX-License-Identifier: MIT
//
// One thread at a time hashes much; others that want to wait for it in line.

#include "py/mpthread.h"
#include "py/objstr.h"
#include "py/runtime.h"

#include "buffer.h"
#include "bus.h"
#include "hashing.h"

// How much is hashed between two looks whether it is another's turn: takes an RP2040 0.3 ms of SHA-256.
#ifndef MODTHREAD_HASHING_PART
#define MODTHREAD_HASHING_PART (256)
#endif

static bus_t hasher = BUS_FREE;
static mp_obj_t hashed; // the object with which its owner hashes

typedef struct _use_t {
    nlr_jump_callback_node_t failed;
    buffer_t buffer;
} use_t;

static void take(void) {
    if (!bus_take(&hasher)) { // a hard interrupt handler, in the midst
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("hash is in use"));
    }
}

static void leave(void *use_in) {
    use_t *use = use_in;
    buffer_drop(&use->buffer);
    hashed = MP_OBJ_NULL;
    bus_give(&hasher);
}

static void update_in_parts(mp_fun_2_t update, mp_obj_t self, const uint8_t *data, size_t size) {
    do {
        size_t now = MIN(size, MODTHREAD_HASHING_PART);
        mp_obj_str_t part = { { &mp_type_bytes }, 0, now, data };
        update(self, MP_OBJ_FROM_PTR(&part));
        data += now;
        size -= now;
        mp_thread_give_way();
    } while (size > 0);
}

mp_obj_t hashing_update(mp_fun_2_t update, mp_obj_t self, mp_obj_t data) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(data, &info, MP_BUFFER_READ);
    if (self != hashed && (info.len <= MODTHREAD_HASHING_PART || !bus_may_park())) {
        return update(self, data);
    }
    use_t use;
    take();
    hashed = self;
    buffer_hold(&use.buffer, info.buf, info.len);
    nlr_push_jump_callback(&use.failed, leave);
    update_in_parts(update, self, info.buf, info.len);
    nlr_pop_jump_callback(true);
    return mp_const_none;
}

mp_obj_t hashing_new(hashing_new_t make_new, mp_fun_2_t update, const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    mp_obj_t self = make_new(type, 0, 0, NULL);
    if (n_args == 1) {
        hashing_update(update, self, args[0]);
    }
    return self;
}

mp_obj_t hashing_digest(mp_fun_1_t digest, mp_obj_t self) {
    if (self == hashed) {
        take();
        bus_give(&hasher);
    }
    return digest(self);
}

void hashing_reset(void) {
    hashed = MP_OBJ_NULL;
    bus_reset(&hasher);
}
