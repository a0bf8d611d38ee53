// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included before anything else of MicroPython's py/objlist.c: its function gets another name, and the method of lists is
// pin.c's.

#include "pin.h"

#define mp_obj_list_sort(n_args, args, keywords) list_sort_unpinned(n_args, args, keywords)
