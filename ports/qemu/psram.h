// This file is part of modthread. SPDX-License-Identifier: MIT

#ifndef MICROPY_INCLUDED_QEMU_PSRAM_H
#define MICROPY_INCLUDED_QEMU_PSRAM_H

#include "py/obj.h"

extern const mp_obj_type_t machine_psram_type;

#endif // MICROPY_INCLUDED_QEMU_PSRAM_H
