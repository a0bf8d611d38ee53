# This file is part of modthread. SPDX-License-Identifier: MIT
#
# For USER_C_MODULES of MicroPython's ports/rp2, which is used as it is: what differs is laid over it here. Variables:
#   FREERTOS_KERNEL_PATH   FreeRTOS's sources: V9 for one core, or V11 for both (default: V9, in MicroPython's tree)
#   MODTHREAD_TRACE        record what threads do, for a timeline
#   MODTHREAD_VERSION      what _thread.__version__ says

if(NOT PICO_ARM)
    message(FATAL_ERROR "modthread: there are no threads for ${PICO_PLATFORM} yet, only for rp2040 and rp2350-arm-s; name another MICROPY_BOARD")
endif()
# MAIN_STACK_RESERVE: bytes that the end of the heap gives to the main program's stack, see stacks.h.
if(PICO_RP2040)
    set(MODTHREAD_PROCESSOR m0plus)
    set(MODTHREAD_MAIN_STACK_RESERVE 864)
else()
    set(MODTHREAD_PROCESSOR m33)
    set(MODTHREAD_MAIN_STACK_RESERVE 1056) # with FLOATS_SIZE
endif()

include(${CMAKE_CURRENT_LIST_DIR}/../../modthread/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../../lib/freeze.cmake)
modthread_freeze_lib(${MICROPY_PORT_DIR}/boards/manifest.py)

set(MODTHREAD_RP2_DIR ${CMAKE_CURRENT_LIST_DIR})
if(NOT FREERTOS_KERNEL_PATH)
    set(FREERTOS_KERNEL_PATH ${MICROPY_DIR}/ports/cc3200/FreeRTOS/Source)
endif()

file(STRINGS ${FREERTOS_KERNEL_PATH}/include/task.h MODTHREAD_KERNEL REGEX "define tskKERNEL_VERSION_NUMBER")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" MODTHREAD_KERNEL "${MODTHREAD_KERNEL}")
if(MODTHREAD_KERNEL MATCHES "^V11" AND NOT PICO_RP2040)
    message(FATAL_ERROR "modthread: ${PICO_PLATFORM} needs FreeRTOS V9, not ${MODTHREAD_KERNEL}") # no longer: CMake breaks lines
elseif(MODTHREAD_KERNEL MATCHES "^V11")
    set(MODTHREAD_CORES 2)
    set(MODTHREAD_KERNEL_PORT ${FREERTOS_KERNEL_PATH}/portable/ThirdParty/GCC/RP2040)
    set(MODTHREAD_KERNEL_INCLUDE ${MODTHREAD_RP2_DIR}/freertos_v11 ${MODTHREAD_KERNEL_PORT}/include)
    set(MODTHREAD_KERNEL_SOURCES
        ${MODTHREAD_KERNEL_PORT}/port.c
        ${MODTHREAD_RP2_DIR}/cores.c
    )
    set(MODTHREAD_CORES_WRAP
        gpio_set_irq_enabled
        irq_set_enabled
        multicore_launch_core1
        multicore_lockout_end_blocking
        multicore_lockout_start_blocking
        multicore_lockout_victim_is_initialized
    )
elseif(MODTHREAD_KERNEL MATCHES "^V9")
    set(MODTHREAD_CORES 1)
    set(MODTHREAD_KERNEL_INCLUDE ${MODTHREAD_RP2_DIR}/freertos_v9)
    set(MODTHREAD_KERNEL_SOURCES
        ${MODTHREAD_RP2_DIR}/freertos_v9/port.c
        ${MODTHREAD_RP2_DIR}/freertos_v9/switch_${MODTHREAD_PROCESSOR}.c
    )
else()
    message(FATAL_ERROR "modthread: FREERTOS_KERNEL_PATH names FreeRTOS '${MODTHREAD_KERNEL}'; name a V9 or V11 kernel")
endif()
if(MODTHREAD_CORES EQUAL 1)
    message(STATUS "modthread: FreeRTOS ${MODTHREAD_KERNEL}, 1 core")
else()
    message(STATUS "modthread: FreeRTOS ${MODTHREAD_KERNEL}, ${MODTHREAD_CORES} cores")
endif()

# Headers of ours are found before MicroPython's of the same name.
target_include_directories(usermod_modthread INTERFACE
    ${MODTHREAD_RP2_DIR}
    ${MODTHREAD_KERNEL_INCLUDE}
    ${FREERTOS_KERNEL_PATH}/include
)
if(MICROPY_BLUETOOTH_BTSTACK OR MICROPY_BLUETOOTH_NIMBLE)
    # Their sources would find MicroPython's first: its own folder is among theirs.
    list(PREPEND MICROPY_INC_CORE ${MODTHREAD_RP2_DIR} ${MODTHREAD_KERNEL_INCLUDE} ${FREERTOS_KERNEL_PATH}/include)
endif()
list(APPEND MICROPY_DEF_BOARD
    MAIN_STACK_RESERVE=${MODTHREAD_MAIN_STACK_RESERVE}
    configNUMBER_OF_CORES=${MODTHREAD_CORES}
    PICO_CONFIG_RTOS_ADAPTER_HEADER=sdk_locks.h
    PICO_DIVIDER_DISABLE_INTERRUPTS=1 # a task switch does not save the core's divider
)

if(MODTHREAD_TRACE)
    list(APPEND MICROPY_DEF_BOARD MODTHREAD_TRACE=1)
endif()

# What tls.h says.
function(modthread_rp2_tls)
    set(modthread ${MODTHREAD_RP2_DIR}/../../modthread)
    set(library ${MICROPY_LIB_MBEDTLS_DIR}/library)
    target_sources(firmware PRIVATE ${modthread}/tls.c)
    target_include_directories(firmware PRIVATE ${modthread}/mbedtls)
    target_compile_definitions(firmware PRIVATE MBEDTLS_THREADING_C MBEDTLS_THREADING_ALT)
    set_property(SOURCE ${modthread}/tls.c APPEND PROPERTY INCLUDE_DIRECTORIES ${library})
    set_property(SOURCE ${MICROPY_EXTMOD_DIR}/modtls_mbedtls.c APPEND PROPERTY COMPILE_OPTIONS
        -DTLS_IN_MODTLS -include ${modthread}/tls.h
    )
    set_property(SOURCE ${library}/ecp.c APPEND PROPERTY COMPILE_DEFINITIONS mbedtls_mpi_mul_mpi=tls_multiply)
    set_property(SOURCE ${library}/bignum.c APPEND PROPERTY COMPILE_DEFINITIONS mbedtls_mpi_core_sub=tls_subtract)
    set_property(SOURCE ${library}/bignum_core.c APPEND PROPERTY COMPILE_DEFINITIONS mbedtls_ct_memcpy_if=tls_copy_if memcpy=tls_copy)
    set_property(SOURCE ${library}/gcm.c APPEND PROPERTY COMPILE_DEFINITIONS mbedtls_cipher_update=tls_cipher_update)
    set_property(SOURCE ${library}/ssl_tls.c APPEND PROPERTY COMPILE_DEFINITIONS mbedtls_md_hmac_finish=tls_hmac_finish)
endfunction()

# What network.h and radio.h say.
function(modthread_rp2_network)
    set(lwip ${MODTHREAD_RP2_DIR}/../lwip)
    target_sources(firmware PRIVATE ${lwip}/network.c)
    set_property(SOURCE ${MICROPY_EXTMOD_DIR}/modlwip.c APPEND PROPERTY COMPILE_DEFINITIONS
        mp_event_wait_ms=network_wait_ms
        dns_gethostbyname_addrtype=network_ask
    )
    set_property(SOURCE ${MICROPY_EXTMOD_DIR}/modlwip.c ${MICROPY_EXTMOD_DIR}/network_lwip.c APPEND PROPERTY COMPILE_OPTIONS
        -include ${lwip}/network_locked.h
    )
    modthread_rp2_tls()
    if(MICROPY_PY_NETWORK_CYW43)
        target_sources(firmware PRIVATE ${MODTHREAD_RP2_DIR}/radio.c)
        set_property(SOURCE ${MICROPY_EXTMOD_DIR}/network_cyw43.c APPEND PROPERTY COMPILE_OPTIONS
            -include ${MODTHREAD_RP2_DIR}/radio_scan.h
        )
        file(GLOB_RECURSE driver
            ${PICO_CYW43_DRIVER_PATH}/src/*.c
            ${PICO_SDK_PATH}/src/rp2_common/pico_cyw43_driver/*.c
        )
        set_property(SOURCE ${driver} ${MICROPY_DIR}/shared/netutils/trace.c APPEND PROPERTY COMPILE_DEFINITIONS
            mp_event_handle_nowait=radio_handle_nothing
            mp_printf=radio_printf
        )
    endif()
endfunction()

# When the firmware's target is defined: take files out, put ours in, and let the linker take our functions.
function(modthread_rp2_overlay)
    get_target_property(sources firmware SOURCES)
    list(REMOVE_ITEM sources
        machine_i2c.c
        machine_spi.c
        mpthreadport.c
        mutex_extra.c
        pendsv.c
        ${MICROPY_DIR}/shared/tinyusb/mp_usbd.c
    )
    set_target_properties(firmware PROPERTIES SOURCES "${sources}")
    target_sources(firmware PRIVATE
        ${MODTHREAD_RP2_DIR}/main.c
        ${MODTHREAD_RP2_DIR}/dispatch.c
        ${MODTHREAD_RP2_DIR}/usb.c
        ${MODTHREAD_RP2_DIR}/hal.c
        ${MODTHREAD_RP2_DIR}/crash.c
        ${MODTHREAD_RP2_DIR}/../cortex_m/fault.c
        ${MODTHREAD_RP2_DIR}/../cortex_m/compiled.c
        ${MODTHREAD_RP2_DIR}/../cortex_m/guard.c
        ${MODTHREAD_RP2_DIR}/../cortex_m/service.c
        ${MODTHREAD_RP2_DIR}/freertos_hooks.c
        ${MODTHREAD_RP2_DIR}/tick.c
        ${MODTHREAD_RP2_DIR}/transfer.c
        ${MODTHREAD_RP2_DIR}/transfer_i2c.c
        ${MODTHREAD_RP2_DIR}/transfer_spi.c
        ${MODTHREAD_KERNEL_SOURCES}
        ${FREERTOS_KERNEL_PATH}/tasks.c
        ${FREERTOS_KERNEL_PATH}/list.c
    )
    set_property(SOURCE ${MODTHREAD_RP2_DIR}/../../modthread/modthread.c APPEND PROPERTY COMPILE_DEFINITIONS MODTHREAD_VERSION="${MODTHREAD_VERSION}")
    set_property(SOURCE ${MICROPY_DIR}/shared/tinyusb/mp_usbd_runtime.c APPEND PROPERTY COMPILE_DEFINITIONS
        mp_call_function_n_kw=pin_call # TinyUSB calls Python, and must not be entered by others meanwhile
    )
    if(MICROPY_PY_LWIP)
        modthread_rp2_network()
    endif()
    set_property(SOURCE rp2_flash.c APPEND PROPERTY COMPILE_DEFINITIONS mp_event_handle_nowait=after_flash_write)
    if(MODTHREAD_CORES GREATER 1)
        target_link_libraries(firmware hardware_exception)
        # rp2.bootsel_button() makes flash unreadable for both.
        set_property(SOURCE modrp2.c APPEND PROPERTY COMPILE_DEFINITIONS
            mp_thread_begin_atomic_section=cores_stop_other
            mp_thread_end_atomic_section=cores_continue_other
        )
    endif()
    target_link_options(firmware PRIVATE -Wl,--defsym=fault_ram_end=__StackTop)
    # For who measures the heap.
    target_link_options(firmware PRIVATE -Wl,--defsym=__modthread_heap_reserve__=${MODTHREAD_MAIN_STACK_RESERVE})
    foreach(function main gc_init mp_hal_delay_ms mp_hal_delay_us
        pyexec_friendly_repl pyexec_raw_repl ${MODTHREAD_CORES_WRAP})
        target_link_options(firmware PRIVATE -Wl,--wrap=${function})
    endforeach()
endfunction()
cmake_language(DEFER CALL modthread_rp2_overlay)
