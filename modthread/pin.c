// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/cstack.h"

#include "pin.h"
#include "gil.h"
#include "scheduler.h"

typedef nlr_jump_callback_node_t pin_t; // on the C stack

static void unpin(void *pin) {
    (void)pin;
    assert(gil_pins > 0);
    gil_pins--;
    scheduler_unpinned();
}

static void pin_begin(pin_t *pin) {
    mp_cstack_check(); // what is compared may be nested deep: each level comes here
    nlr_push_jump_callback(pin, unpin);
    gil_pins++;
}

static void pin_end(void) {
    nlr_pop_jump_callback(true);
}

// No operation on it calls Python, or if one does, for an item of it, that call is pinned. Most keys are such.
static inline MP_ALWAYSINLINE bool is_plain(mp_obj_t object) {
    if (!mp_obj_is_obj(object)) {
        return true;
    }
    const mp_obj_type_t *type = ((mp_obj_base_t *)MP_OBJ_TO_PTR(object))->type;
    return type == &mp_type_str || type == &mp_type_tuple;
}

static MP_NOINLINE bool equal(mp_obj_t left, mp_obj_t right) {
    pin_t pin;
    pin_begin(&pin);
    bool equal = mp_obj_equal(left, right);
    pin_end();
    return equal;
}

static MP_NOINLINE mp_obj_t unary_op(mp_unary_op_t op, mp_obj_t operand) {
    pin_t pin;
    pin_begin(&pin);
    mp_obj_t result = mp_unary_op(op, operand);
    pin_end();
    return result;
}

static MP_NOINLINE mp_obj_t binary_op(mp_binary_op_t op, mp_obj_t left, mp_obj_t right) {
    pin_t pin;
    pin_begin(&pin);
    mp_obj_t result = mp_binary_op(op, left, right);
    pin_end();
    return result;
}

bool pin_equal(mp_obj_t left, mp_obj_t right) {
    return is_plain(left) && is_plain(right) ? mp_obj_equal(left, right) : equal(left, right);
}

mp_obj_t pin_unary_op(mp_unary_op_t op, mp_obj_t operand) {
    return is_plain(operand) ? mp_unary_op(op, operand) : unary_op(op, operand);
}

mp_obj_t pin_binary_op(mp_binary_op_t op, mp_obj_t left, mp_obj_t right) {
    return is_plain(left) && is_plain(right) ? mp_binary_op(op, left, right) : binary_op(op, left, right);
}

mp_obj_t pin_call(mp_obj_t function, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    pin_t pin;
    pin_begin(&pin);
    mp_obj_t result = mp_call_function_n_kw(function, n_args, n_kw, args);
    pin_end();
    return result;
}

// Not for sorted(): nobody else has its list.
mp_obj_t mp_obj_list_sort(size_t n_args, const mp_obj_t *args, mp_map_t *keywords) {
    pin_t pin;
    pin_begin(&pin);
    mp_obj_t result = list_sort_unpinned(n_args, args, keywords);
    pin_end();
    return result;
}

mp_obj_t pin_printed_dict(mp_obj_t dict) {
    bool alone = thread_list == &thread_main || scheduler_is_locked();
    return alone ? dict : mp_obj_dict_copy(dict);
}
