// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's extmod/modhashlib.c: much data is hashed in parts, and others have their
// turns between them. The macros give MicroPython's functions other names, and leave what refers to them.

#ifndef MODTHREAD_HASHING_H
#define MODTHREAD_HASHING_H

#include "py/obj.h"

typedef mp_obj_t (*hashing_new_t)(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);

// The methods of a hash, by those of MicroPython. Need the GIL, and may let others run. An object that another thread is
// hashing with is waited for; RuntimeError where nothing may wait.
mp_obj_t hashing_new(hashing_new_t make_new, mp_fun_2_t update, const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);
mp_obj_t hashing_update(mp_fun_2_t update, mp_obj_t self, mp_obj_t data);
mp_obj_t hashing_digest(mp_fun_1_t digest, mp_obj_t self);

// A soft reset deletes all other threads: before it does.
void hashing_reset(void);

#define HASHING_METHODS(hash) \
    static mp_obj_t stock_##hash##_make_new(const mp_obj_type_t * type, size_t n_args, size_t n_kw, const mp_obj_t * args); \
    static mp_obj_t stock_##hash##_update(mp_obj_t self, mp_obj_t data); \
    static mp_obj_t stock_##hash##_digest(mp_obj_t self); \
    static mp_obj_t hashlib_##hash##_make_new(const mp_obj_type_t * type, size_t n_args, size_t n_kw, const mp_obj_t * args) { \
        return hashing_new(stock_##hash##_make_new, stock_##hash##_update, type, n_args, n_kw, args); \
    } \
    static mp_obj_t hashlib_##hash##_update(mp_obj_t self, mp_obj_t data) { \
        return hashing_update(stock_##hash##_update, self, data); \
    } \
    static mp_obj_t hashlib_##hash##_digest(mp_obj_t self) { \
        return hashing_digest(stock_##hash##_digest, self); \
    }

#ifdef HASHING_IN_MODHASHLIB

#if MICROPY_PY_HASHLIB_SHA256
HASHING_METHODS(sha256)
#define hashlib_sha256_make_new(...) stock_sha256_make_new(__VA_ARGS__)
#define hashlib_sha256_update(...) stock_sha256_update(__VA_ARGS__)
#define hashlib_sha256_digest(...) stock_sha256_digest(__VA_ARGS__)
#endif

#if MICROPY_PY_HASHLIB_SHA1
HASHING_METHODS(sha1)
#define hashlib_sha1_make_new(...) stock_sha1_make_new(__VA_ARGS__)
#define hashlib_sha1_update(...) stock_sha1_update(__VA_ARGS__)
#define hashlib_sha1_digest(...) stock_sha1_digest(__VA_ARGS__)
#endif

#if MICROPY_PY_HASHLIB_MD5
HASHING_METHODS(md5)
#define hashlib_md5_make_new(...) stock_md5_make_new(__VA_ARGS__)
#define hashlib_md5_update(...) stock_md5_update(__VA_ARGS__)
#define hashlib_md5_digest(...) stock_md5_digest(__VA_ARGS__)
#endif

#endif // HASHING_IN_MODHASHLIB

#endif // MODTHREAD_HASHING_H
