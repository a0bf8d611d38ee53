// This file is part of modthread. SPDX-License-Identifier: MIT
//
// I2C: the bus's interrupt feeds its FIFOs, and the thread sleeps until all has gone over the bus, or until the timeout. What
// the caller gets is what pico-sdk's i2c.c gives it.

#include "py/mphal.h"
#include "py/runtime.h"
#include "hardware/i2c.h"
#include "hardware/irq.h"

#include "modthread/buffer.h"
#include "modthread/bus.h"
#include "modthread/gil.h"
#include "transfer.h"

// With so many bytes left to send, the interrupt comes for more.
#define REFILL_AT (4)
#define FIFO_DEPTH (16) // RP2040 datasheet, 4.3.5

typedef struct _transfer_t {
    thread_t *thread; // NULL if there is no transfer
    i2c_hw_t *hw;
    uint8_t *data; // the next byte to send, or where the next one that comes goes
    uint32_t to_ask; // bytes to put into the FIFO, or to ask for
    uint32_t to_get; // bytes of a read that have not come
    uint32_t first; // IC_DATA_CMD's bits for the first byte, then 0
    uint16_t each; // the bits for each byte: those of a read or a write
    uint16_t last; // the bits for the last byte: STOP, unless the caller wants to go on
    uint32_t aborted; // IC_TX_ABRT_SOURCE
    volatile bool done;
} transfer_t;

static transfer_t transfers[NUM_I2CS];
static bus_t buses[NUM_I2CS] = { BUS_FREE, BUS_FREE };

#define BUS_OF(i2c) (&buses[i2c_get_index(i2c)])

static void init(i2c_inst_t *i2c, uint32_t baudrate);
static int make(i2c_inst_t *i2c, uint32_t baudrate, uint32_t each, uint16_t address, uint8_t *data, size_t size, bool no_stop, uint32_t timeout_us);

static int machine_i2c_transfer_single(mp_obj_base_t *self, uint16_t address, size_t size, uint8_t *data, unsigned int flags);

// The definition's name, and not what the table of methods refers to.
#define machine_i2c_transfer_single(...) stock_transfer_single(__VA_ARGS__)

#define i2c_init(i2c, baudrate) init(i2c, baudrate)
#define i2c_write_timeout_us(i2c, address, data, size, no_stop, timeout_us) \
    make(i2c, self->freq, 0, address, data, size, no_stop, timeout_us)
#define i2c_read_timeout_us(i2c, address, data, size, no_stop, timeout_us) \
    make(i2c, self->freq, I2C_IC_DATA_CMD_CMD_BITS, address, data, size, no_stop, timeout_us)

#include "ports/rp2/machine_i2c.c"

#undef machine_i2c_transfer_single
#undef i2c_init
#undef i2c_write_timeout_us
#undef i2c_read_timeout_us

/******************************************************************************/
// The interrupt

static inline bool is_read(const transfer_t *transfer) {
    return transfer->each != 0;
}

// Of a read no more than what there is room for when it comes.
static bool has_room(const transfer_t *transfer) {
    if (is_read(transfer)) {
        return transfer->to_get - transfer->to_ask < FIFO_DEPTH;
    }
    return transfer->hw->status & I2C_IC_STATUS_TFNF_BITS;
}

static void ask(transfer_t *transfer) {
    while (transfer->to_ask > 0 && has_room(transfer)) {
        uint32_t command = transfer->first | transfer->each;
        transfer->first = 0;
        if (--transfer->to_ask == 0) {
            command |= transfer->last;
        }
        transfer->hw->data_cmd = is_read(transfer) ? command : command | *transfer->data++;
    }
}

static void get(transfer_t *transfer) {
    i2c_hw_t *hw = transfer->hw;
    while (transfer->to_get > 0 && hw->rxflr > 0) {
        *transfer->data++ = (uint8_t)hw->data_cmd;
        transfer->to_get--;
    }
    if (transfer->to_get > 0) {
        hw->rx_tl = MIN(transfer->to_get, FIFO_DEPTH / 2) - 1;
    }
}

// All is in the FIFO: what tells the end is that it is empty, or the STOP that comes then.
static void await_end(const transfer_t *transfer) {
    i2c_hw_t *hw = transfer->hw;
    hw->tx_tl = 0;
    if (transfer->last != 0) {
        hw_clear_bits(&hw->intr_mask, I2C_IC_INTR_MASK_M_TX_EMPTY_BITS);
    }
}

static bool has_ended(const transfer_t *transfer, uint32_t status) {
    if (transfer->aborted != 0 || transfer->last != 0) {
        return status & I2C_IC_RAW_INTR_STAT_STOP_DET_BITS;
    }
    return is_read(transfer) || transfer->hw->raw_intr_stat & I2C_IC_RAW_INTR_STAT_TX_EMPTY_BITS;
}

// After an abort the bus has a STOP, by itself.
static void stop_asking(transfer_t *transfer) {
    i2c_hw_t *hw = transfer->hw;
    transfer->aborted = hw->tx_abrt_source | I2C_IC_TX_ABRT_SOURCE_ABRT_USER_ABRT_BITS; // never 0
    (void)hw->clr_tx_abrt;
    hw->intr_mask = I2C_IC_INTR_MASK_M_STOP_DET_BITS;
}

static void serve(transfer_t *transfer) {
    i2c_hw_t *hw = transfer->hw;
    uint32_t status = hw->raw_intr_stat;
    if (status & I2C_IC_RAW_INTR_STAT_STOP_DET_BITS) { // else one that comes now would be lost
        (void)hw->clr_stop_det;
    }
    if (status & I2C_IC_RAW_INTR_STAT_TX_ABRT_BITS) {
        stop_asking(transfer);
        status |= hw->raw_intr_stat;
    }
    if (transfer->aborted == 0) {
        bool was_asked = transfer->to_ask == 0;
        get(transfer);
        ask(transfer);
        if (transfer->to_ask > 0 || transfer->to_get > 0) {
            return;
        }
        await_end(transfer);
        if (!was_asked) {
            return; // a STOP before was not this transfer's
        }
    }
    if (has_ended(transfer, status)) {
        hw->intr_mask = 0;
        transfer->done = true;
        gil_wake(transfer->thread);
    }
}

static void serve_i2c_0(void) {
    serve(&transfers[0]);
}

static void serve_i2c_1(void) {
    serve(&transfers[1]);
}

/******************************************************************************/
// The thread

static void init(i2c_inst_t *i2c, uint32_t baudrate) {
    bus_settle(BUS_OF(i2c));
    i2c_init(i2c, baudrate);
    i2c->hw->intr_mask = 0;
}

static uint32_t irq_of(const transfer_t *transfer) {
    return transfer == &transfers[0] ? I2C0_IRQ : I2C1_IRQ;
}

// Between transfers the interrupt belongs to nobody: machine.I2CTarget may want it.
static void take_interrupt(const transfer_t *transfer) {
    irq_set_exclusive_handler(irq_of(transfer), transfer == &transfers[0] ? serve_i2c_0 : serve_i2c_1);
    irq_set_enabled(irq_of(transfer), true);
}

static void give_interrupt(const transfer_t *transfer) {
    irq_set_enabled(irq_of(transfer), false);
    irq_remove_handler(irq_of(transfer), transfer == &transfers[0] ? serve_i2c_0 : serve_i2c_1);
}

static void begin(transfer_t *transfer, uint16_t address) {
    i2c_hw_t *hw = transfer->hw;
    hw->enable = 0;
    hw->tar = address;
    (void)hw->clr_intr;
    hw->tx_tl = REFILL_AT;
    hw->enable = 1;
    get(transfer); // sets the threshold
    ask(transfer);
    if (transfer->to_ask == 0) {
        await_end(transfer);
    }
    uint32_t more = is_read(transfer) ? I2C_IC_INTR_MASK_M_RX_FULL_BITS : I2C_IC_INTR_MASK_M_TX_EMPTY_BITS;
    hw->intr_mask = I2C_IC_INTR_MASK_M_TX_ABRT_BITS | I2C_IC_INTR_MASK_M_STOP_DET_BITS | more;
}

static void park(const transfer_t *transfer, deadline_t deadline) {
    while (!deadline_passed(deadline)) {
        uint32_t state = kernel_lock();
        if (transfer->done) {
            kernel_unlock(state);
            return;
        }
        gil_unlock_and_park(deadline, state, false);
    }
}

// No more than the byte that is on its way goes over the bus.
static void end(transfer_t *transfer) {
    i2c_hw_t *hw = transfer->hw;
    hw->intr_mask = 0;
    give_interrupt(transfer);
    if (!transfer->done) {
        hw_set_bits(&hw->enable, I2C_IC_ENABLE_ABORT_BITS);
    }
    hw->tx_tl = 0; // as pico-sdk wants it
    hw->rx_tl = 0;
    transfer->thread = NULL;
}

// What pico-sdk's functions return.
static int result(const transfer_t *transfer, size_t size) {
    if (!transfer->done) {
        return PICO_ERROR_TIMEOUT;
    }
    if (transfer->aborted == 0) {
        return size;
    }
    if (is_read(transfer) || !(transfer->aborted & I2C_IC_TX_ABRT_SOURCE_ABRT_TXDATA_NOACK_BITS)) {
        return PICO_ERROR_GENERIC;
    }
    uint32_t flushed = transfer->aborted >> I2C_IC_TX_ABRT_SOURCE_TX_FLUSH_CNT_LSB;
    return size - transfer->to_ask - flushed - 1;
}

static int make(i2c_inst_t *i2c, uint32_t baudrate, uint32_t each, uint16_t address, uint8_t *data, size_t size, bool no_stop, uint32_t timeout_us) {
    deadline_t deadline = deadline_after_us(timeout_us);
    if (size * 9000 / (baudrate / 1000 + 1) < TRANSFER_PARK_MIN_US || !bus_may_park()) {
        return each == 0 ? i2c_write_timeout_us(i2c, address, data, size, no_stop, timeout_us)
            : i2c_read_timeout_us(i2c, address, data, size, no_stop, timeout_us);
    }
    transfer_t *transfer = &transfers[i2c_get_index(i2c)];
    *transfer = (transfer_t) {
        .thread = gil_current,
        .hw = i2c->hw,
        .data = data,
        .to_ask = size,
        .to_get = each == 0 ? 0 : size,
        .first = i2c->restart_on_next ? I2C_IC_DATA_CMD_RESTART_BITS : 0,
        .each = each,
        .last = no_stop ? 0 : I2C_IC_DATA_CMD_STOP_BITS,
    };
    take_interrupt(transfer);
    begin(transfer, address);
    park(transfer, deadline);
    end(transfer);
    i2c->restart_on_next = no_stop;
    return result(transfer, size);
}

static int machine_i2c_transfer_single(mp_obj_base_t *self_in, uint16_t address, size_t size, uint8_t *data, unsigned int flags) {
    bus_t *bus = BUS_OF(((machine_i2c_obj_t *)self_in)->i2c_inst);
    buffer_t held;
    bool give = bus_take(bus);
    buffer_hold(&held, data, size);
    int done = stock_transfer_single(self_in, address, size, data, flags);
    buffer_drop(&held);
    if (done >= 0 && !(flags & MP_MACHINE_I2C_FLAG_STOP)) {
        bus->unfinished = true;
    } else if (give) {
        bus_give(bus);
    }
    return done;
}

void i2c_end_transfers(void) {
    for (uint i = 0; i < NUM_I2CS; i++) {
        if (transfers[i].thread != NULL) {
            end(&transfers[i]);
        }
        bus_reset(&buses[i]);
    }
}
