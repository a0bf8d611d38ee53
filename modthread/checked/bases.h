// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's py/objtype.c: what looks into the bases of a class calls itself where there are
// several. It asks first whether there are, with this type, and here the question looks at the stack.

#ifndef MODTHREAD_CHECKED_BASES_H
#define MODTHREAD_CHECKED_BASES_H

#include "py/cstack.h"
#include "py/runtime.h"

#define mp_type_tuple (*(mp_cstack_check(), &mp_type_tuple))

#endif // MODTHREAD_CHECKED_BASES_H
