// This file is part of modthread. SPDX-License-Identifier: MIT

#include "py/mpconfig.h"

#include "modthread/buffer.h"
#include "modthread/hashing.h"
#include "../lwip/network.h"
#include "transfer.h"

void rp2_forget_waiting(void) {
    #if MICROPY_PY_LWIP
    network_forget_waiting();
    #endif
    hashing_reset();
    buffer_reset();
    spi_end_transfers();
    i2c_end_transfers();
    uart_end_transfers();
}
