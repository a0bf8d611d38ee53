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
SRC_USERMOD_C += $(addprefix $(MODTHREAD_DIR)/, modthread.c lock.c thread.c stack.c gil.c pin.c deadline.c trace.c)

# scheduler.c takes the place of MicroPython's.
$(BUILD)/py/scheduler.o: $(MODTHREAD_DIR)/scheduler.c
	$(call compile_c)

# modthread.c does, too; without threads MicroPython's is an empty file.
# The VM needs to know nothing of threads: see scheduler.c.
$(BUILD)/py/modthread.o $(BUILD)/py/vm.o: CFLAGS += -DMICROPY_PY_THREAD=0

# Where these call Python, others must not come between: see pin.h.
$(BUILD)/py/map.o: CFLAGS += -Dmp_obj_equal=pin_equal -Dmp_unary_op=pin_unary_op
$(BUILD)/py/sequence.o: CFLAGS += -Dmp_obj_equal=pin_equal -Dmp_binary_op=pin_binary_op
$(BUILD)/extmod/modheapq.o: CFLAGS += -Dmp_binary_op=pin_binary_op
$(BUILD)/py/objdict.o: CFLAGS += -include $(MODTHREAD_DIR)/pinned_dict.h
$(BUILD)/py/objlist.o: CFLAGS += -include $(MODTHREAD_DIR)/pinned_sort.h
$(BUILD)/py/modbuiltins.o $(BUILD)/py/builtinhelp.o: CFLAGS += -Dmp_obj_list_sort=list_sort_unpinned

# Other flags are another object file.
$(addprefix $(BUILD)/py/, map.o sequence.o objdict.o objlist.o modbuiltins.o builtinhelp.o) $(BUILD)/extmod/modheapq.o: \
	$(MODTHREAD_DIR)/micropython.mk
