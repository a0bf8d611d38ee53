"""SPI, I2C and UART beside threads, with the devices that RPI_PICO's board.toml wires to it."""

import _thread
import time

import pytest
from prelude import rate, start_computing, wait_until

DISPLAY, MEMORY, NOBODY = 0x3C, 0x50, 0x20


def i2c_bus(freq=400000, **more):
    import machine

    return machine.I2C(0, freq=freq, scl=machine.Pin(5), sda=machine.Pin(4), **more)


def spi_bus(baudrate=1000000):
    import machine

    pins = {"sck": machine.Pin(18), "mosi": machine.Pin(19), "miso": machine.Pin(16)}
    return machine.SPI(0, baudrate, **pins)


def uart(number=1, **more):
    import machine

    tx, rx = ((0, 1), (8, 9))[number]
    pins = {"tx": machine.Pin(tx), "rx": machine.Pin(rx)}
    return machine.UART(number, 115200, timeout=100, **pins, **more)


def write_i2c():
    bus, data = i2c_bus(), b"\x40" + bytes(1024)
    return lambda: bus.writeto(DISPLAY, data)


def read_i2c():
    bus, data = i2c_bus(), bytearray(1000)
    return lambda: bus.readfrom_into(MEMORY, data)


def write_spi():
    bus, data = spi_bus(), bytes(4096)
    return lambda: bus.write(data)


def write_uart():
    port, data = uart(0, txbuf=32), bytes(200)

    def write():
        assert port.write(data) == len(data)
        port.flush()

    return write


def read_uart():
    port = uart(0)
    return lambda: port.read(1)


@pytest.mark.boards("RPI_PICO")
@pytest.mark.rows("call", ["write_i2c", "read_i2c", "write_spi", "write_uart", "read_uart"])
def test_others_run_meanwhile(call):
    count, running = [0], [True]

    def work():
        while running:
            count[0] += 1

    transfer = globals()[call]()
    _thread.start_new_thread(work, ())
    alone = rate(count, lambda: time.sleep_ms(30))
    beside = rate(count, transfer)
    running.clear()
    time.sleep_ms(10)
    print(f"{100 * beside // alone} % of the work alone")
    assert beside >= 0.9 * alone


@pytest.mark.boards("RPI_PICO")
def test_errors_are_those_of_the_bus():
    bus = i2c_bus()

    def result(call, *args):
        try:
            return call(*args)
        except OSError as error:
            return error.errno

    for _ in range(2):
        assert result(bus.writeto, DISPLAY, bytes(100)) == 100
        assert result(bus.writeto, NOBODY, bytes(100)) == 5
        assert result(bus.readfrom, NOBODY, 100) == 5
        # The register's number and 55 values, then the last register refuses.
        assert result(bus.writeto, MEMORY, bytes([200]) + bytes(100)) == 56
        start = time.ticks_us()
        assert result(bus.writeto, DISPLAY, bytes(4000)) == 110
        assert 50000 <= time.ticks_diff(time.ticks_us(), start) < 51000
        data = bytes(range(100))
        bus.writeto_mem(MEMORY, 20, data)
        assert bus.readfrom_mem(MEMORY, 20, 100) == data


@pytest.mark.boards("RPI_PICO")
def test_transfers_take_the_time_of_their_bits():
    def us(function, *args):
        start = time.ticks_us()
        function(*args)
        return time.ticks_diff(time.ticks_us(), start)

    bus, data = spi_bus(1000000), bytes(8192)
    assert 65536 <= us(bus.write, data) < 67500
    i2c, data = i2c_bus(), bytes(1000)
    assert 1000 * 22.5 <= us(i2c.writeto, DISPLAY, data) < 1000 * 25
    port = uart(0)
    assert us(lambda: (port.write(bytes(100)), port.flush())) >= 100 * 86


def together(*functions):
    """Run the functions in a thread each, until all have ended."""
    left = [len(functions)]

    def run(function):
        function()
        left[0] -= 1

    for function in functions:
        _thread.start_new_thread(run, (function,))
    wait_until(lambda: left[0] == 0)


@pytest.mark.boards("RPI_PICO")
def test_transfers_of_i2c_stay_whole():
    bus = i2c_bus()
    computing = start_computing(1)

    def exchange(register):
        data = bytes(register + i for i in range(50))
        for _ in range(8):
            bus.writeto_mem(MEMORY, register, data)
            assert bus.readfrom_mem(MEMORY, register, 50) == data

    together(*(lambda register=register: exchange(register) for register in (0, 60, 120)))
    computing.clear()


@pytest.mark.boards("RPI_PICO")
def test_a_thread_keeps_the_bus_until_its_stop():
    bus = i2c_bus()
    bus.writeto_mem(MEMORY, 0, bytes(range(150)))
    bus.writeto(MEMORY, bytes([7]), False)
    got = []
    _thread.start_new_thread(lambda: got.append(bus.readfrom_mem(MEMORY, 100, 30)), ())
    time.sleep_ms(20)
    assert got == []
    assert bus.readfrom(MEMORY, 3) == bytes([7, 8, 9])
    wait_until(lambda: got)
    assert got == [bytes(range(100, 130))]
    bus.writeto(MEMORY, bytes([7]), False)  # and never goes on
    _thread.start_new_thread(lambda: got.append(bus.readfrom_mem(MEMORY, 50, 3)), ())
    wait_until(lambda: len(got) == 2)


@pytest.mark.boards("RPI_PICO")
def test_transfers_of_spi_stay_whole():
    bus = spi_bus(4000000)
    computing = start_computing(1)

    def exchange(value):
        data = bytes([value]) * 300
        got = bytearray(300)
        for _ in range(10):
            bus.write_readinto(data, got)
            assert got[1:] == data[1:]

    together(lambda: exchange(1), lambda: exchange(2), lambda: exchange(3))
    computing.clear()


@pytest.mark.boards("RPI_PICO")
def test_what_is_written_to_a_uart_stays_whole():
    port = uart(1, txbuf=32, rxbuf=1000)
    texts = [bytes([value]) * 150 for value in b"abc"]
    together(*(lambda text=text: port.write(text) for text in texts))
    port.flush()
    got = port.read(450)
    assert sorted(got[i : i + 150] for i in (0, 150, 300)) == texts


@pytest.mark.boards("RPI_PICO")
def test_a_new_speed_waits_for_the_transfer():
    bus = spi_bus(200000)
    source = bytes([5]) * 500
    got = bytearray(500)
    _thread.start_new_thread(bus.write_readinto, (source, got))
    time.sleep_ms(2)
    start = time.ticks_us()
    bus.init(baudrate=1000000)
    assert time.ticks_diff(time.ticks_us(), start) > 15000
    assert got[1:] == source[1:]


@pytest.mark.boards("RPI_PICO")
def test_exception_ends_the_wait_for_a_bus():
    bus = spi_bus(100000)
    data = bytes(4000)  # a third of a second
    _thread.start_new_thread(bus.write, (data,))
    time.sleep_ms(2)
    _thread.start_new_thread(lambda: (time.sleep_ms(10), _thread.interrupt_main()), ())
    start = time.ticks_us()
    try:
        bus.write(data)
        raise AssertionError("no KeyboardInterrupt")
    except KeyboardInterrupt:
        assert time.ticks_diff(time.ticks_us(), start) < 50000
    bus.write(b"x")


@pytest.mark.boards("RPI_PICO")
@pytest.mark.rows("change", ["grow", "forget"])
def test_a_buffer_stays_while_it_is_used(change):
    bus = spi_bus()
    source = bytes([0xA5]) * 2000
    buffers = [bytearray(2000)]
    barrier = [bytes(64) for _ in range(50)]  # so that it cannot grow in place
    _thread.start_new_thread(bus.write_readinto, (source, buffers[0]))
    del barrier
    time.sleep_ms(2)
    if change == "grow":
        for _ in range(3):
            buffers[0].extend(bytes(2000))
    else:
        buffers.clear()
    others = [bytearray(b"\x11" * 100) for _ in range(300)]
    time.sleep_ms(30)
    assert all(other == b"\x11" * 100 for other in others)
