# This file is part of modthread. SPDX-License-Identifier: MIT
#
# The board's own file and, after it, our settings of ESP-IDF: name this folder in MICROPY_BOARD_DIR, and MICROPY_BOARD.
# Variables:
#   MODTHREAD_BOARD_DIR      the board's folder, if it is none of MicroPython's
#   MODTHREAD_BOARD_VARIANT  what MICROPY_BOARD_VARIANT is otherwise: that is looked for in MICROPY_BOARD_DIR

set(MODTHREAD_ESP32_DIR ${CMAKE_CURRENT_LIST_DIR})
if(MODTHREAD_BOARD_DIR)
    set(MICROPY_BOARD_DIR ${MODTHREAD_BOARD_DIR})
else()
    set(MICROPY_BOARD_DIR ${CMAKE_SOURCE_DIR}/boards/${MICROPY_BOARD})
endif()
set(MICROPY_BOARD_VARIANT ${MODTHREAD_BOARD_VARIANT}) # whose file MicroPython includes after this one
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
if(IDF_TARGET AND NOT IDF_TARGET MATCHES "^esp32(|s3|c3)$")
    message(FATAL_ERROR "modthread: there are no threads for ${IDF_TARGET} yet, only for esp32, esp32s3 and esp32c3; name another MICROPY_BOARD")
endif()
list(APPEND SDKCONFIG_DEFAULTS ${MODTHREAD_ESP32_DIR}/sdkconfig)
list(APPEND MICROPY_USER_LDFRAGMENTS ${MODTHREAD_ESP32_DIR}/modthread.lf)
include(${MODTHREAD_ESP32_DIR}/../../lib/freeze.cmake)
modthread_freeze_lib(${CMAKE_SOURCE_DIR}/boards/manifest.py)
