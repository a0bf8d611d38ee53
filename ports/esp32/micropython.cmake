# This file is part of modthread. SPDX-License-Identifier: MIT
#
# For USER_C_MODULES of MicroPython's ports/esp32, which is used as it is: what differs is laid over it here and, as it
# must come earlier, in mpconfigboard.cmake. Variables:
#   MODTHREAD_VERSION      what _thread.__version__ says

include(${CMAKE_CURRENT_LIST_DIR}/../../modthread/micropython.cmake)

if(NOT MODTHREAD_ESP32_DIR)
    message(FATAL_ERROR "modthread: set MICROPY_BOARD_DIR to ${CMAKE_CURRENT_LIST_DIR}, and MICROPY_BOARD to the board")
endif()

# MicroPython's source package lacks this submodule; 1.25 builds with it, and links it, whatever it is told.
if(NOT EXISTS ${MICROPY_DIR}/lib/berkeley-db-1.xx/README)
    set(MICROPY_PY_BTREE OFF)
    add_library(micropy_extmod_btree INTERFACE)
endif()

# Headers of ours are found before MicroPython's of the same name.
target_include_directories(usermod_modthread INTERFACE ${MODTHREAD_ESP32_DIR})
foreach(name crash hal idle start tick)
    target_sources(usermod_modthread INTERFACE ${MODTHREAD_ESP32_DIR}/${name}.c)
endforeach()
if(CONFIG_IDF_TARGET_ARCH_XTENSA)
    target_sources(usermod_modthread INTERFACE ${MODTHREAD_ESP32_DIR}/gchelper_xtensa.c)
else()
    target_sources(usermod_modthread INTERFACE ${MODTHREAD_ESP32_DIR}/compiled_riscv.c)
endif()

set_property(SOURCE ${MICROPY_DIR}/extmod/modbluetooth.c APPEND PROPERTY COMPILE_OPTIONS
    -include ${MODTHREAD_ESP32_DIR}/bluetooth_guest.h
)

# When the component is defined: take a file out, and let the linker take our functions.
function(modthread_esp32_overlay)
    get_target_property(sources ${MICROPY_TARGET} SOURCES)
    list(REMOVE_ITEM sources ${MICROPY_PORT_DIR}/mpthreadport.c)
    # As parts of the component alone: else they would be compiled for the program, too, out of modthread.lf's reach.
    get_target_property(own_sources usermod_modthread INTERFACE_SOURCES)
    set_target_properties(usermod_modthread PROPERTIES INTERFACE_SOURCES "")
    set_target_properties(${MICROPY_TARGET} PROPERTIES SOURCES "${sources};${own_sources}")
    set_property(SOURCE ${MODTHREAD_ESP32_DIR}/../../modthread/modthread.c APPEND PROPERTY COMPILE_DEFINITIONS MODTHREAD_VERSION="${MODTHREAD_VERSION}")
    if(CONFIG_IDF_TARGET_ARCH_XTENSA)
        set(functions gc_collect)
    else()
        set(functions esp_native_code_commit)
    endif()
    foreach(function
        ${functions}
        esp_light_sleep_start
        mp_init
        mp_hal_delay_ms
        mp_hal_delay_us
        mp_hal_wake_main_task
        mp_hal_wake_main_task_from_isr
        pyexec_friendly_repl
        pyexec_raw_repl
    )
        target_link_options(${MICROPY_TARGET} INTERFACE -Wl,--wrap=${function})
    endforeach()
endfunction()
cmake_language(DEFER CALL modthread_esp32_overlay)
