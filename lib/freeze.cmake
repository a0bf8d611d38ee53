# This file is part of modthread. SPDX-License-Identifier: MIT
#
# Freezes lib/ into a firmware that CMake builds, beside what its board freezes. A manifest that the user names in
# MICROPY_FROZEN_MANIFEST is used as it is: with include("path/to/lib") in it, that firmware has lib/, too.

set(MODTHREAD_LIB_DIR ${CMAKE_CURRENT_LIST_DIR})

# `default`: the port's manifest, for a board that names none.
function(modthread_freeze_lib default)
    if(MICROPY_USER_FROZEN_MANIFEST)
        return()
    endif()
    if(MICROPY_FROZEN_MANIFEST)
        set(default ${MICROPY_FROZEN_MANIFEST})
    endif()
    set(manifest ${CMAKE_BINARY_DIR}/modthread_manifest.py)
    file(CONFIGURE OUTPUT ${manifest} CONTENT "include(\"${default}\")\ninclude(\"${MODTHREAD_LIB_DIR}\")\n")
    set(MICROPY_FROZEN_MANIFEST ${manifest} PARENT_SCOPE)
endfunction()
