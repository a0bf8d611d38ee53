# This file is part of modthread. SPDX-License-Identifier: MIT
#
# The board's own file and, after it, our settings of ESP-IDF: name this folder in MICROPY_BOARD_DIR, and MICROPY_BOARD.

set(MODTHREAD_ESP32_DIR ${CMAKE_CURRENT_LIST_DIR})
set(MICROPY_BOARD_DIR ${CMAKE_SOURCE_DIR}/boards/${MICROPY_BOARD})
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
list(APPEND SDKCONFIG_DEFAULTS ${MODTHREAD_ESP32_DIR}/sdkconfig)
list(APPEND MICROPY_USER_LDFRAGMENTS ${MODTHREAD_ESP32_DIR}/modthread.lf)
