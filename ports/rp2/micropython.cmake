# This file is part of modthread. SPDX-License-Identifier: MIT
#
# For USER_C_MODULES of MicroPython's ports/rp2, which is used as it is: what differs is laid over it here. Variables:
#   FREERTOS_KERNEL_PATH   FreeRTOS's sources (default: those in MicroPython's tree)
#   MODTHREAD_VERSION      what _thread.__version__ says

include(${CMAKE_CURRENT_LIST_DIR}/../../modthread/micropython.cmake)

set(MODTHREAD_RP2_DIR ${CMAKE_CURRENT_LIST_DIR})
if(NOT FREERTOS_KERNEL_PATH)
    set(FREERTOS_KERNEL_PATH ${MICROPY_DIR}/ports/cc3200/FreeRTOS/Source)
endif()

# Headers of ours are found before MicroPython's of the same name.
target_include_directories(usermod_modthread INTERFACE
    ${MODTHREAD_RP2_DIR}
    ${MODTHREAD_RP2_DIR}/freertos_v9
    ${FREERTOS_KERNEL_PATH}/include
)
list(APPEND MICROPY_DEF_BOARD
    PICO_CONFIG_RTOS_ADAPTER_HEADER=sdk_locks.h
    PICO_DIVIDER_DISABLE_INTERRUPTS=1 # a task switch does not save the core's divider
)

# When the firmware's target is defined: take files out, put ours in, and let the linker take our functions.
function(modthread_rp2_overlay)
    get_target_property(sources firmware SOURCES)
    list(REMOVE_ITEM sources
        mpthreadport.c
        mutex_extra.c
        pendsv.c
        ${MICROPY_DIR}/shared/tinyusb/mp_usbd.c
    )
    set_target_properties(firmware PROPERTIES SOURCES "${sources}")
    target_sources(firmware PRIVATE
        ${MODTHREAD_RP2_DIR}/main.c
        ${MODTHREAD_RP2_DIR}/service.c
        ${MODTHREAD_RP2_DIR}/usb.c
        ${MODTHREAD_RP2_DIR}/hal.c
        ${MODTHREAD_RP2_DIR}/crash.c
        ${MODTHREAD_RP2_DIR}/freertos_hooks.c
        ${MODTHREAD_RP2_DIR}/freertos_v9/port.c
        ${MODTHREAD_RP2_DIR}/freertos_v9/tick.c
        ${FREERTOS_KERNEL_PATH}/tasks.c
        ${FREERTOS_KERNEL_PATH}/list.c
    )
    set_property(SOURCE ${MODTHREAD_RP2_DIR}/../../modthread/modthread.c APPEND PROPERTY COMPILE_DEFINITIONS MODTHREAD_VERSION="${MODTHREAD_VERSION}")
    foreach(function main gc_init mp_hal_delay_ms mp_hal_delay_us)
        target_link_options(firmware PRIVATE -Wl,--wrap=${function})
    endforeach()
endfunction()
cmake_language(DEFER CALL modthread_rp2_overlay)

file(STRINGS ${FREERTOS_KERNEL_PATH}/include/task.h MODTHREAD_KERNEL REGEX "define tskKERNEL_VERSION_NUMBER")
string(REGEX MATCH "V[0-9.]*[0-9]" MODTHREAD_KERNEL "${MODTHREAD_KERNEL}")
message(STATUS "modthread: FreeRTOS ${MODTHREAD_KERNEL}, 1 core")
