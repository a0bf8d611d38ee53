// This file is part of modthread. SPDX-License-Identifier: MIT
//
// SPI: DMA makes the transfer, and its end is a matter of arithmetic, since nobody but the clock of the bus sets the pace. The
// thread sleeps until then.

#include "py/mphal.h"
#include "py/runtime.h"
#include "hardware/dma.h"
#include "hardware/spi.h"

#include "modthread/buffer.h"
#include "modthread/bus.h"
#include "modthread/gil.h"
#include "transfer.h"

static bus_t buses[] = { BUS_FREE, BUS_FREE };

// The channels of a transfer that a thread has parked for.
static struct {
    bool active;
    uint8_t tx, rx;
} parked[MP_ARRAY_SIZE(buses)];

#define BUS_OF(spi) (&buses[spi_get_index(spi)])

static void wait_for_channel(spi_inst_t *spi, uint32_t bits_per_second, const void *source, uint tx, uint rx, uint channel);

static void machine_spi_transfer(mp_obj_base_t *self, size_t len, const uint8_t *src, uint8_t *dest);

// The definition's name, and not what the table of methods refers to.
#define machine_spi_transfer(...) stock_transfer(__VA_ARGS__)

#define dma_channel_wait_for_finish_blocking(channel) \
    wait_for_channel(self->spi_inst, self->baudrate, src, chan_tx, chan_rx, channel)
#define spi_init(spi, baudrate) (bus_settle(BUS_OF(spi)), spi_init(spi, baudrate))
#define spi_set_baudrate(spi, baudrate) (bus_settle(BUS_OF(spi)), spi_set_baudrate(spi, baudrate))
#define spi_set_format(spi, ...) (bus_settle(BUS_OF(spi)), spi_set_format(spi, __VA_ARGS__))

#include "ports/rp2/machine_spi.c"

#undef machine_spi_transfer

// DMA cannot read flash while another thread writes to it.
static bool in_flash(const void *source) {
    return (uintptr_t)source >= XIP_BASE && (uintptr_t)source < SRAM_BASE;
}

static void wait_for_channel(spi_inst_t *spi, uint32_t bits_per_second, const void *source, uint tx, uint rx, uint channel) {
    uint index = spi_get_index(spi);
    bool may_park = !in_flash(source) && bus_may_park();
    parked[index].tx = tx;
    parked[index].rx = rx;
    parked[index].active = true;
    while (dma_channel_is_busy(channel)) {
        uint64_t bits = (uint64_t)dma_channel_hw_addr(channel)->transfer_count * 8;
        uint64_t us = bits * 1000000 / bits_per_second;
        if (may_park && us >= TRANSFER_PARK_MIN_US) {
            gil_park(deadline_after_us(us - TRANSFER_WAKE_US));
        }
    }
    parked[index].active = false;
}

static void machine_spi_transfer(mp_obj_base_t *self_in, size_t len, const uint8_t *src, uint8_t *dest) {
    bus_t *bus = BUS_OF(((machine_spi_obj_t *)self_in)->spi_inst);
    buffer_t source, destination;
    bool give = bus_take(bus);
    buffer_hold(&source, src, len);
    buffer_hold(&destination, dest, dest == NULL ? 0 : len);
    stock_transfer(self_in, len, src, dest);
    buffer_drop(&destination);
    buffer_drop(&source);
    if (give) {
        bus_give(bus);
    }
}

// Until the last bits are out; then what has come of them.
static void run_empty(spi_inst_t *spi) {
    while (spi_is_busy(spi)) {
    }
    while (spi_is_readable(spi)) {
        (void)spi_get_hw(spi)->dr;
    }
}

void spi_end_transfers(void) {
    for (uint i = 0; i < MP_ARRAY_SIZE(buses); i++) {
        if (parked[i].active) {
            dma_channel_abort(parked[i].tx);
            run_empty(SPI_INSTANCE(i));
            dma_channel_abort(parked[i].rx);
            dma_channel_unclaim(parked[i].tx);
            dma_channel_unclaim(parked[i].rx);
            parked[i].active = false;
        }
        bus_reset(&buses[i]);
    }
}
