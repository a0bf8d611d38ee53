// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of those of MicroPython's files in which functions call themselves, for data nested deep or
// a program written so, and do not look at the stack. Here, each call does.

#ifndef MODTHREAD_CHECKED_RECURSION_H
#define MODTHREAD_CHECKED_RECURSION_H

#include "py/cstack.h"
#include "py/emit.h"
#include "py/parse.h"
#include "py/runtime.h"

#include "../pin.h"

// The first argument of a call. A function's definition looks the same to the preprocessor, but for that argument's first
// word, which is a type there: CHECKED_... has an entry for each.
#define CHECKED(argument) CHECKED_##argument

// objtuple.c, objset.c: comparison, and hash, of what lies inside. That of lists and dicts comes by pin.c, which looks, too.
#define mp_seq_cmp_objs(...) (mp_cstack_check(), mp_seq_cmp_objs(__VA_ARGS__))
#define pin_unary_op(...) (mp_cstack_check(), pin_unary_op(__VA_ARGS__))
#ifndef mp_unary_op // in objtuple.c it is the name of pin_unary_op()
#define mp_unary_op(...) (mp_cstack_check(), mp_unary_op(__VA_ARGS__))
#endif

// objtype.c: an object that is called, whose __call__ is such an object.
#define mp_call_method_self_n_kw(...) (mp_cstack_check(), mp_call_method_self_n_kw(__VA_ARGS__))

// compile.c: each node of an expression, conditions, and targets of an assignment.
#define set_source_line(emit, line) set_source_line(emit, (mp_cstack_check(), line))
#define mp_emit_bc_set_source_line(emit, line) mp_emit_bc_set_source_line(emit, (mp_cstack_check(), line))
#define mp_parse_node_is_const_false(node) mp_parse_node_is_const_false((mp_cstack_check(), node))
#define c_assign(compiler, ...) c_assign(CHECKED(compiler), __VA_ARGS__)
#define CHECKED_compiler_t compiler_t
#define CHECKED_comp (mp_cstack_check(), comp)

// persistentcode.c: functions inside functions.
#define load_raw_code(reader, context) load_raw_code(CHECKED(reader), context)
#define CHECKED_mp_reader_t mp_reader_t
#define CHECKED_reader (mp_cstack_check(), reader)

// modre.c: groups inside groups.
#define _compilecode(expression, ...) _compilecode(CHECKED(expression), __VA_ARGS__)
#define CHECKED_const const
#define CHECKED_re (mp_cstack_check(), re)

#endif // MODTHREAD_CHECKED_RECURSION_H
