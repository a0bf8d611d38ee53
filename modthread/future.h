// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MODTHREAD_FUTURE_H
#define MODTHREAD_FUTURE_H

#include "py/obj.h"

// _future_class(variables): the class Future of concurrent.futures, whose variables these are.
MP_DECLARE_CONST_FUN_OBJ_1(future_class_obj);

// _submit(work, function, args): a Future whose _run() makes that call, in the _Queue `work`; None if that is shut down.
MP_DECLARE_CONST_FUN_OBJ_3(future_submit_obj);

// For a soft reset: the heap goes, and the class with it.
void future_reset(void);

#endif // MODTHREAD_FUTURE_H
