# This file is part of modthread. SPDX-License-Identifier: MIT
#
# For USER_C_MODULES: a port's Makefile includes this through py/py.mk. The port says in its mpconfigport.h
#     #ifndef MICROPY_PY_THREAD
#     #define MICROPY_PY_THREAD (1)
#     #endif
#     #define MICROPY_MPTHREADPORT_H "modthread/mpthreadport.h"
# and leaves out an mpthreadport.c of its own.

MODTHREAD_DIR := $(USERMOD_DIR)

CFLAGS_USERMOD += -I$(dir $(MODTHREAD_DIR))
SRC_USERMOD_C += $(addprefix $(MODTHREAD_DIR)/, modthread.c lock.c thread.c stack.c gil.c deadline.c trace.c)

# scheduler.c takes the place of MicroPython's.
$(BUILD)/py/scheduler.o: $(MODTHREAD_DIR)/scheduler.c
	$(call compile_c)

# modthread.c does, too; without threads MicroPython's is an empty file.
# The VM needs to know nothing of threads: see scheduler.c.
$(BUILD)/py/modthread.o $(BUILD)/py/vm.o: CFLAGS += -DMICROPY_PY_THREAD=0
