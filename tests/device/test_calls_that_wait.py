"""What others do while a thread waits in C code: the rows of the table in docs/threads.md.

"run": another thread computes as if it were alone. "turns": it has its turns. "wait": nobody else runs.
"""

import _thread
import sys
import time

import pytest
from prelude import rate

ESP32 = sys.platform == "esp32"


def pin(number, *more):
    import machine

    return machine.Pin(number, *more)


def sleep():
    return lambda: time.sleep_ms(30)


def poll():
    import select

    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    return lambda: poller.poll(30)


def i2c():
    from machine import I2C

    bus, data = I2C(0, freq=400000, scl=pin(5), sda=pin(4)), b"\x40" + bytes(1024)
    return lambda: bus.writeto(0x3C, data)


def i2c_scan():
    from machine import I2C

    return I2C(0, freq=20000, scl=pin(5), sda=pin(4)).scan


def spi():
    from machine import SPI

    bus, data = SPI(0, 1000000, sck=pin(18), mosi=pin(19), miso=pin(16)), bytearray(4096)
    return lambda: bus.write(data)


def spi_from_flash():
    import uctypes
    from machine import SPI

    bus = SPI(0, 1000000, sck=pin(18), mosi=pin(19), miso=pin(16))
    data = uctypes.bytearray_at(0x10000000, 4096)
    return lambda: bus.write(data)


def uart_write():
    from machine import UART

    port, data = UART(0, 115200, tx=pin(0), rx=pin(1), timeout=100), bytes(400)
    return lambda: (port.write(data), port.flush())


def uart_read():
    from machine import UART

    port = UART(1 if ESP32 else 0, 115200, tx=pin(0), rx=pin(1), timeout=30)
    return lambda: port.read(1)


def soft_spi():
    from machine import SoftSPI

    bus, data = SoftSPI(100000, sck=pin(8), mosi=pin(9), miso=pin(10)), bytes(200)
    return lambda: bus.write(data)


def soft_i2c():
    from machine import SoftI2C

    bus = SoftI2C(scl=pin(7), sda=pin(6), freq=1000, timeout=20000)

    def write():
        try:
            bus.writeto(0x3C, b"0")
        except OSError:
            pass

    return write


def time_pulse_us():
    from machine import Pin, time_pulse_us

    silent = pin(3, Pin.IN, Pin.PULL_DOWN)
    return lambda: time_pulse_us(silent, 1, 20000)


def state_machine():
    import rp2

    @rp2.asm_pio()
    def program():
        pull()
        set(x, 31)
        label("again")
        jmp(x_dec, "again")[31]
        push()

    machine = rp2.StateMachine(0, program, freq=20000)
    machine.active(1)

    def exchange():
        machine.put(1)
        machine.get()

    return exchange


def hashlib():
    import hashlib

    data = bytes(16384)
    return lambda: hashlib.sha256(data)


def framebuf():
    import framebuf

    picture = framebuf.FrameBuffer(bytearray(25600), 160, 80, framebuf.RGB565)
    return lambda: picture.scroll(1, 1)


def deflate():
    import io

    from deflate import ZLIB, DeflateIO

    packed = bytes.fromhex(
        "28cfedc13101000000c2a0f54f6d094fa000000000000000000000000000000000000000000000000000000000003e0675300001"
    )
    into = bytearray(12288)  # of zeros
    return lambda: DeflateIO(io.BytesIO(packed), ZLIB, 10).readinto(into)


def file():
    data = "x" * 3000

    def write():
        with open("waits.txt", "w") as file:
            file.write(data)

    return write


def bitstream():
    from machine import bitstream

    out, data = pin(14, 1), bytes(400)
    return lambda: bitstream(out, 0, (400, 850, 800, 450), data)


def compute_for_ms(ms):
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < ms:
        pass


@pytest.mark.boards("RPI_PICO")
@pytest.mark.lane("long")
@pytest.mark.rows(
    "call, others",
    [
        ("sleep", "run"),
        ("poll", "run"),
        ("i2c", "run"),
        ("i2c_scan", "turns"),
        ("spi", "run"),
        ("spi_from_flash", "wait"),
        ("uart_write", "run"),
        ("uart_read", "run"),
        ("soft_spi", "wait"),
        ("soft_i2c", "wait"),
        ("time_pulse_us", "wait"),
        ("state_machine", "turns"),
        ("hashlib", "turns"),
        ("framebuf", "wait"),
        ("deflate", "wait"),
        ("bitstream", "wait"),
        ("file", "wait"),
    ],
)
def test_what_others_do(call, others):
    see(call, others)


# Its buses are not emulated.
@pytest.mark.boards("ESP32_GENERIC_C3")
@pytest.mark.lane("long")
@pytest.mark.rows(
    "call, others",
    [
        ("sleep", "run"),
        ("poll", "run"),
        ("uart_read", "run"),
        ("soft_spi", "wait"),
        ("soft_i2c", "wait"),
        ("time_pulse_us", "wait"),
        ("hashlib", "turns"),
        ("framebuf", "wait"),
        ("deflate", "wait"),
        ("file", "wait"),
    ],
)
def test_what_others_do_on_an_esp32(call, others):
    see(call, others)


def see(call, others):
    function = globals()[call]()
    start = time.ticks_us()
    function()
    alone = time.ticks_diff(time.ticks_us(), start)
    longest, count, running = [0], [0], [True]

    def wake_often():
        while running:
            start = time.ticks_us()
            time.sleep_ms(1)
            longest[0] = max(longest[0], time.ticks_diff(time.ticks_us(), start))

    def compute():
        while running:
            count[0] += 1

    _thread.start_new_thread(wake_often, ())
    _thread.start_new_thread(compute, ())
    time.sleep_ms(5)
    usual = rate(count, lambda: time.sleep_ms(20))
    compute_for_ms(5)  # who has slept goes before others for a millisecond
    longest[0] = 0
    share = 100 * rate(count, function) // usual
    time.sleep_ms(2)  # until the other one has seen how late it is
    gap = longest[0]
    running.clear()
    time.sleep_ms(10)
    print(f"{alone} us alone, others pause for {gap} us and have {share} %")
    if others == "wait":
        assert gap >= 0.9 * alone > 3000
    else:
        assert gap < 3000
        assert share >= 90 if others == "run" else 20 <= share < 90
