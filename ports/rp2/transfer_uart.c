// This file is part of modthread. SPDX-License-Identifier: MIT
//
// Included by extmod/machine_uart.c, with MicroPython's machine_uart.c of this port. There the UART's interrupt moves bytes
// between FIFOs and buffers, and a thread waits until there is room, or something to read. Reading and writing are two
// things: a thread may read while another one writes.

#include "modthread/buffer.h"
#include "modthread/bus.h"
#include "modthread/gil.h"
#include "transfer.h"

static bus_t writing[] = { BUS_FREE, BUS_FREE };
static bus_t reading[] = { BUS_FREE, BUS_FREE };

// While nobody else wants to run, look as often as ever.
static void wait_a_little(void) {
    if (mp_thread_gil_contended()) {
        mp_event_wait_ms(1);
    } else {
        mp_event_handle_nowait();
    }
}

// Its time for each byte would be the others'.
__attribute__((unused)) static mp_uint_t stock_write(mp_obj_t self, const void *buffer, mp_uint_t size, int *error);

// The functions' definitions, not what refers to them.
#define mp_machine_uart_init_helper(...) stock_init_helper(__VA_ARGS__)
#define mp_machine_uart_make_new(...) stock_make_new(__VA_ARGS__)
#define mp_machine_uart_deinit(...) stock_deinit(__VA_ARGS__)
#define mp_machine_uart_read(...) stock_read(__VA_ARGS__)
#define mp_machine_uart_write(...) stock_write(__VA_ARGS__)
#define mp_event_handle_nowait() wait_a_little()
// The interrupt has filled or emptied a buffer.
#define mutex_exit(mutex) do { \
        mutex_exit(mutex); \
        if (kernel_in_interrupt()) { \
            mp_thread_notify(); \
        } \
} while (0)

#include "ports/rp2/machine_uart.c"

#undef mp_machine_uart_init_helper
#undef mp_machine_uart_make_new
#undef mp_machine_uart_deinit
#undef mp_machine_uart_read
#undef mp_machine_uart_write
#undef mp_event_handle_nowait
#undef mutex_exit

// A thread has the UART for reading or writing; an exception that ends its wait gives it back.
typedef struct _use_t {
    nlr_jump_callback_node_t failed;
    bus_t *bus;
    buffer_t buffer;
    bool give;
} use_t;

static void leave(void *use_in) {
    use_t *use = use_in;
    buffer_drop(&use->buffer);
    if (use->give) {
        bus_give(use->bus);
    }
}

static void enter(use_t *use, bus_t *bus, const void *buffer, size_t size) {
    use->bus = bus;
    use->give = bus_take(bus);
    buffer_hold(&use->buffer, buffer, size);
    nlr_push_jump_callback(&use->failed, leave);
}

static mp_uint_t mp_machine_uart_read(mp_obj_t self_in, void *buffer, mp_uint_t size, int *error) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    use_t use;
    enter(&use, &reading[self->uart_id], buffer, size);
    mp_uint_t done = stock_read(self_in, buffer, size, error);
    nlr_pop_jump_callback(true);
    return done;
}

// Wait until there is room in the buffer; false if there is none within so many milliseconds. The FIFO has some before its
// interrupt comes.
static bool wait_for_room(machine_uart_obj_t *self, mp_uint_t timeout_ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    while (ringbuf_free(&self->write_buffer) == 0) {
        mp_uint_t elapsed = mp_hal_ticks_ms() - start;
        if (elapsed > timeout_ms) {
            return false;
        }
        mp_event_wait_ms(timeout_ms + 1 - elapsed);
        uart_fill_tx_fifo(self);
    }
    return true;
}

static mp_uint_t write(machine_uart_obj_t *self, const uint8_t *buffer, mp_uint_t size) {
    mp_uint_t done = 0;
    mp_uint_t timeout_ms = self->timeout;
    while (done < size && wait_for_room(self, timeout_ms)) {
        while (done < size && ringbuf_put(&self->write_buffer, buffer[done]) == 0) {
            done++;
        }
        uart_fill_tx_fifo(self);
        timeout_ms = self->timeout_char;
    }
    return done;
}

static mp_uint_t mp_machine_uart_write(mp_obj_t self_in, const void *buffer, mp_uint_t size, int *error) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    use_t use;
    enter(&use, &writing[self->uart_id], buffer, size);
    mp_uint_t done = write(self, buffer, size);
    nlr_pop_jump_callback(true);
    if (done == 0 && size > 0) {
        *error = MP_EAGAIN;
        return MP_STREAM_ERROR;
    }
    return done;
}

// Who writes comes to the end before the buffers are made anew.
static void mp_machine_uart_init_helper(machine_uart_obj_t *self, size_t n_args, const mp_obj_t *args, mp_map_t *keywords) {
    bus_settle(&writing[self->uart_id]);
    stock_init_helper(self, n_args, args, keywords);
}

static mp_obj_t mp_machine_uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_uint_t uart = mp_obj_get_int(args[0]);
    if (uart < MP_ARRAY_SIZE(writing)) {
        bus_settle(&writing[uart]);
    }
    return stock_make_new(type, n_args, n_kw, args);
}

static void mp_machine_uart_deinit(machine_uart_obj_t *self) {
    bus_settle(&writing[self->uart_id]);
    stock_deinit(self);
}

void uart_end_transfers(void) {
    for (size_t i = 0; i < MP_ARRAY_SIZE(writing); i++) {
        bus_reset(&writing[i]);
        bus_reset(&reading[i]);
    }
}
