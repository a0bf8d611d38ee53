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
SRC_USERMOD_C += $(addprefix $(MODTHREAD_DIR)/, \
	modthread.c arguments.c lock.c rlock.c notice.c condition.c event.c semaphores.c queue.c local.c class.c handle.c threading.c future.c thread.c describe.c stack.c \
	gil.c pin.c file_system.c import.c event_loop.c deadline.c wait.c print_exception.c trace.c console.c)

# scheduler.c takes the place of MicroPython's.
$(BUILD)/py/scheduler.o: $(MODTHREAD_DIR)/scheduler.c
	$(call compile_c)

# modthread.c does, too; without threads MicroPython's is an empty file.
# The VM needs to know nothing of threads: see scheduler.c.
$(BUILD)/py/modthread.o $(BUILD)/py/vm.o: CFLAGS += -DMICROPY_PY_THREAD=0

# Where these call Python, others must not come between: see pin.h.
$(BUILD)/py/map.o: CFLAGS += -Dmp_obj_equal=pin_equal -Dmp_unary_op=pin_unary_op
$(BUILD)/py/objtuple.o: CFLAGS += -Dmp_unary_op=pin_unary_op
$(BUILD)/py/sequence.o: CFLAGS += -Dmp_obj_equal=pin_equal -Dmp_binary_op=pin_binary_op
$(BUILD)/extmod/modheapq.o: CFLAGS += -Dmp_binary_op=pin_binary_op
$(BUILD)/py/objdict.o: CFLAGS += -include $(MODTHREAD_DIR)/pinned_dict.h
$(BUILD)/py/objlist.o: CFLAGS += -include $(MODTHREAD_DIR)/pinned_sort.h
$(BUILD)/py/modbuiltins.o $(BUILD)/py/builtinhelp.o: CFLAGS += -Dmp_obj_list_sort=list_sort_unpinned

# The locks of file systems: see file_system.c.
CFLAGS_USERMOD += -DLFS2_THREADSAFE -DMICROPY_FATFS_REENTRANT=1 -DMICROPY_FATFS_TIMEOUT=0 -DMICROPY_FATFS_SYNC_T=uintptr_t
$(BUILD)/extmod/vfs_blockdev.o: CFLAGS += -Dmp_call_method_n_kw=file_system_call_method
$(BUILD)/extmod/vfs_lfs.o: CFLAGS += -include $(MODTHREAD_DIR)/littlefs_lock.h

# The import lock: see import.c.
$(BUILD)/py/builtinimport.o: CFLAGS += -Dmp_map_lookup=import_map_lookup
$(BUILD)/py/builtinimport.o $(BUILD)/py/runtime.o: CFLAGS += -Dmp_builtin___import__=import_module

# Whose function print_exception.c replaces; sys.print_exception() raises what its file raises.
$(BUILD)/py/obj.o $(BUILD)/py/modsys.o: CFLAGS += -Dmp_obj_print_exception=mp_obj_print_exception_may_raise

# machine.soft_reset() is sys.exit(), which would end but the thread that calls it.
$(BUILD)/extmod/modmachine.o: CFLAGS += -Dmp_sys_exit_obj=mp_thread_soft_reset_obj

# No class has the lock as a base: see final_lock.h.
$(BUILD)/py/objtype.o: CFLAGS += -include $(MODTHREAD_DIR)/final_lock.h

# What the raw REPL does, console.c must see; what threads write, too.
$(BUILD)/shared/runtime/pyexec.o: CFLAGS += -include $(MODTHREAD_DIR)/pyexec_console.h
LDFLAGS_USERMOD += -Wl,--wrap=mp_hal_stdout_tx_strn -Wl,--wrap=pyexec_file_if_exists

# These look at the stack before it ends: see the headers. littlefs_lock.h includes files.h.
MODTHREAD_RECURSIVE_O = $(addprefix $(BUILD)/, $(addprefix py/, compile.o objset.o objtuple.o objtype.o persistentcode.o) extmod/modre.o)
MODTHREAD_FILES_O = $(addprefix $(BUILD)/, py/builtinimport.o extmod/vfs_fat_file.o)
$(MODTHREAD_RECURSIVE_O): CFLAGS += -include $(MODTHREAD_DIR)/checked/recursion.h
$(MODTHREAD_FILES_O): CFLAGS += -include $(MODTHREAD_DIR)/checked/files.h
$(BUILD)/extmod/vfs_fat.o: CFLAGS += -include $(MODTHREAD_DIR)/checked/fat.h

# Other flags are another object file.
$(MODTHREAD_RECURSIVE_O) $(MODTHREAD_FILES_O) $(addprefix $(BUILD)/, \
	$(addprefix py/, map.o objtuple.o sequence.o objdict.o objlist.o modbuiltins.o builtinhelp.o builtinimport.o runtime.o obj.o modsys.o) \
	$(addprefix extmod/, modheapq.o vfs_blockdev.o vfs_fat.o vfs_lfs.o modmachine.o) lib/littlefs/lfs2.o shared/runtime/pyexec.o): $(MODTHREAD_DIR)/micropython.mk
