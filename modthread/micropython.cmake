# This file is part of modthread. SPDX-License-Identifier: MIT
#
# For USER_C_MODULES of a port that builds with CMake; see micropython.mk for what the port says in its mpconfigport.h.

add_library(usermod_modthread INTERFACE)

target_sources(usermod_modthread INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/modthread.c
    ${CMAKE_CURRENT_LIST_DIR}/arguments.c
    ${CMAKE_CURRENT_LIST_DIR}/lock.c
    ${CMAKE_CURRENT_LIST_DIR}/rlock.c
    ${CMAKE_CURRENT_LIST_DIR}/notice.c
    ${CMAKE_CURRENT_LIST_DIR}/condition.c
    ${CMAKE_CURRENT_LIST_DIR}/event.c
    ${CMAKE_CURRENT_LIST_DIR}/semaphores.c
    ${CMAKE_CURRENT_LIST_DIR}/queue.c
    ${CMAKE_CURRENT_LIST_DIR}/local.c
    ${CMAKE_CURRENT_LIST_DIR}/class.c
    ${CMAKE_CURRENT_LIST_DIR}/handle.c
    ${CMAKE_CURRENT_LIST_DIR}/threading.c
    ${CMAKE_CURRENT_LIST_DIR}/future.c
    ${CMAKE_CURRENT_LIST_DIR}/thread.c
    ${CMAKE_CURRENT_LIST_DIR}/describe.c
    ${CMAKE_CURRENT_LIST_DIR}/stack.c
    ${CMAKE_CURRENT_LIST_DIR}/gil.c
    ${CMAKE_CURRENT_LIST_DIR}/pin.c
    ${CMAKE_CURRENT_LIST_DIR}/file_system.c
    ${CMAKE_CURRENT_LIST_DIR}/import.c
    ${CMAKE_CURRENT_LIST_DIR}/bus.c
    ${CMAKE_CURRENT_LIST_DIR}/buffer.c
    ${CMAKE_CURRENT_LIST_DIR}/hashing.c
    ${CMAKE_CURRENT_LIST_DIR}/event_loop.c
    ${CMAKE_CURRENT_LIST_DIR}/deadline.c
    ${CMAKE_CURRENT_LIST_DIR}/wait.c
    ${CMAKE_CURRENT_LIST_DIR}/print_exception.c
    ${CMAKE_CURRENT_LIST_DIR}/trace.c
    ${CMAKE_CURRENT_LIST_DIR}/console.c
    ${CMAKE_CURRENT_LIST_DIR}/scheduler.c
)
target_include_directories(usermod_modthread INTERFACE ${CMAKE_CURRENT_LIST_DIR}/..)
target_link_libraries(usermod INTERFACE usermod_modthread)

# Ours take the place of these two.
list(REMOVE_ITEM MICROPY_SOURCE_PY ${MICROPY_PY_DIR}/modthread.c ${MICROPY_PY_DIR}/scheduler.c)

# The VM needs to know nothing of threads: see scheduler.c.
set_property(SOURCE ${MICROPY_PY_DIR}/vm.c APPEND PROPERTY COMPILE_DEFINITIONS MICROPY_PY_THREAD=0)

# Where these call Python, others must not come between: see pin.h.
set_property(SOURCE ${MICROPY_PY_DIR}/map.c APPEND PROPERTY COMPILE_DEFINITIONS
    mp_obj_equal=pin_equal
    mp_unary_op=pin_unary_op
)
set_property(SOURCE ${MICROPY_PY_DIR}/objtuple.c APPEND PROPERTY COMPILE_DEFINITIONS mp_unary_op=pin_unary_op)
set_property(SOURCE ${MICROPY_PY_DIR}/sequence.c APPEND PROPERTY COMPILE_DEFINITIONS
    mp_obj_equal=pin_equal
    mp_binary_op=pin_binary_op
)
set_property(SOURCE ${MICROPY_DIR}/extmod/modheapq.c APPEND PROPERTY COMPILE_DEFINITIONS mp_binary_op=pin_binary_op)
set_property(SOURCE ${MICROPY_PY_DIR}/objdict.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/pinned_dict.h
)
set_property(SOURCE ${MICROPY_PY_DIR}/objlist.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/pinned_sort.h
)
set_property(SOURCE ${MICROPY_PY_DIR}/modbuiltins.c ${MICROPY_PY_DIR}/builtinhelp.c APPEND PROPERTY COMPILE_DEFINITIONS
    mp_obj_list_sort=list_sort_unpinned
)

# The locks of file systems: see file_system.c.
target_compile_definitions(usermod_modthread INTERFACE
    LFS2_THREADSAFE=1
    MICROPY_FATFS_REENTRANT=1
    MICROPY_FATFS_TIMEOUT=0
    MICROPY_FATFS_SYNC_T=uintptr_t
)
set_property(SOURCE ${MICROPY_DIR}/extmod/vfs_blockdev.c APPEND PROPERTY COMPILE_DEFINITIONS
    mp_call_method_n_kw=file_system_call_method
)
set_property(SOURCE ${MICROPY_DIR}/extmod/vfs_lfs.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/littlefs_lock.h
)

# What C code uses while others run stays as it is: see buffer.h.
set_property(SOURCE ${MICROPY_PY_DIR}/malloc.c APPEND PROPERTY COMPILE_DEFINITIONS
    gc_free=buffer_free
    gc_realloc=buffer_realloc
)

# Others have their turns while much is hashed: see hashing.h.
set_property(SOURCE ${MICROPY_DIR}/extmod/modhashlib.c APPEND PROPERTY COMPILE_OPTIONS
    -DHASHING_IN_MODHASHLIB -include ${CMAKE_CURRENT_LIST_DIR}/hashing.h
)

# The import lock: see import.c.
set_property(SOURCE ${MICROPY_PY_DIR}/builtinimport.c APPEND PROPERTY COMPILE_DEFINITIONS
    mp_map_lookup=import_map_lookup
    mp_builtin___import__=import_module
)
set_property(SOURCE ${MICROPY_PY_DIR}/runtime.c APPEND PROPERTY COMPILE_DEFINITIONS
    mp_builtin___import__=import_module
)

# Whose function print_exception.c replaces; sys.print_exception() raises what its file raises.
set_property(SOURCE ${MICROPY_PY_DIR}/obj.c ${MICROPY_PY_DIR}/modsys.c APPEND PROPERTY
    COMPILE_DEFINITIONS mp_obj_print_exception=mp_obj_print_exception_may_raise
)

# machine.soft_reset() is sys.exit(), which would end but the thread that calls it.
set_property(SOURCE ${MICROPY_DIR}/extmod/modmachine.c APPEND PROPERTY COMPILE_DEFINITIONS mp_sys_exit_obj=mp_thread_soft_reset_obj)

# No class has the lock as a base: see final_lock.h.
set_property(SOURCE ${MICROPY_PY_DIR}/objtype.c APPEND PROPERTY COMPILE_OPTIONS -include ${CMAKE_CURRENT_LIST_DIR}/final_lock.h)

# What the raw REPL does, console.c must see; what threads write, too.
set_property(SOURCE ${MICROPY_DIR}/shared/runtime/pyexec.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/pyexec_console.h
)
target_link_options(usermod_modthread INTERFACE
    -Wl,--wrap=mp_hal_stdout_tx_strn
    -Wl,--wrap=pyexec_file_if_exists
)

# These look at the stack before it ends: see the headers. littlefs_lock.h includes files.h.
foreach(name compile objset objtuple objtype persistentcode)
    list(APPEND MODTHREAD_RECURSIVE ${MICROPY_PY_DIR}/${name}.c)
endforeach()
set_property(SOURCE ${MODTHREAD_RECURSIVE} ${MICROPY_DIR}/extmod/modre.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/checked/recursion.h
)
set_property(SOURCE ${MICROPY_PY_DIR}/builtinimport.c ${MICROPY_DIR}/extmod/vfs_fat_file.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/checked/files.h
)
set_property(SOURCE ${MICROPY_DIR}/extmod/vfs_fat.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${CMAKE_CURRENT_LIST_DIR}/checked/fat.h
)
