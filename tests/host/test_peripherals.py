"""What is wired to an emulated Pico."""

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from modthread._emulators.strict.buses import I2c, Spi, Uart
from modthread._emulators.strict.chip import Chip
from modthread.device import Device
from modthread.errors import ModthreadError
from modthread.peripherals import Echo, Edges, Memory, SpiDevice, Ssd1306, St7789, png

Pixel = tuple[int, int, int]
BLACK, WHITE, RED, GREEN, BLUE = (0, 0, 0), (255,) * 3, (255, 0, 0), (0, 255, 0), (0, 0, 255)
SLPOUT, INVON, DISPON, CASET, RASET, RAMWR, MADCTL, COLMOD = 17, 33, 41, 42, 43, 44, 54, 58


class Wired(St7789):
    """A display that a test sends commands to, with what belongs to them."""

    def __init__(self) -> None:
        super().__init__()
        self.is_data = False
        self.levels = {"dc": lambda: self.is_data}

    def send(self, command: int, *data: int) -> None:
        """Send a command and its data."""
        self.is_data = False
        self.transfer(command)
        self.is_data = True
        for value in data:
            self.transfer(value)


@pytest.fixture
def panel() -> Wired:
    """Return a display that has been switched on, for pixels of 16 bits."""
    panel = Wired()
    panel.send(SLPOUT)
    panel.send(INVON)
    panel.send(DISPON)
    panel.send(COLMOD, 0x55)
    return panel


def lit(panel: St7789) -> dict[tuple[int, int], Pixel]:
    """Return the pixels that are not black, by column and row."""
    rows = enumerate(panel.picture())
    return {(x, y): pixel for y, row in rows for x, pixel in enumerate(row) if pixel != BLACK}


def png_rows(file: bytes) -> list[bytes]:
    """Return the rows of a picture, as its file has them."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    chunks = dict(png_chunks(file[8:]))
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 2, 0, 0, 0]
    assert chunks[b"IEND"] == b""
    lines, size = zlib.decompress(chunks[b"IDAT"]), 3 * width + 1
    assert len(lines) == height * size
    assert not any(lines[::size])  # no row is filtered
    return [lines[at + 1 : at + size] for at in range(0, len(lines), size)]


def png_chunks(rest: bytes) -> Iterator[tuple[bytes, bytes]]:
    while rest:
        (size,) = struct.unpack(">I", rest[:4])
        checked, (checksum,) = rest[4 : 8 + size], struct.unpack(">I", rest[8 + size : 12 + size])
        assert zlib.crc32(checked) == checksum
        yield checked[:4], checked[4:]
        rest = rest[12 + size :]


def test_a_picture_is_a_png_file() -> None:
    assert png_rows(png(2, bytes(range(12)))) == [bytes(range(6)), bytes(range(6, 12))]


def test_a_colour_display_fills_a_window(panel: Wired) -> None:
    panel.send(CASET, 0, 10, 0, 11)
    panel.send(RASET, 1, 0, 1, 1)
    panel.send(RAMWR, 0xF8, 0x00, 0x07, 0xE0, 0x00, 0x1F, 0xFF, 0xFF)
    assert lit(panel) == {(10, 256): RED, (11, 256): GREEN, (10, 257): BLUE, (11, 257): WHITE}
    rows = png_rows(panel.kept())
    assert len(rows) == 320
    assert rows[256][30:36] == bytes(RED + GREEN)


@pytest.mark.parametrize(
    ("order", "place"),
    [
        (0x00, (1, 2)),
        (0x40, (238, 2)),  # MX
        (0x80, (1, 317)),  # MY
        (0x20, (2, 1)),  # MV
        (0x60, (237, 1)),
        (0xA0, (2, 318)),
    ],
)
def test_a_colour_display_is_turned(panel: Wired, order: int, place: tuple[int, int]) -> None:
    panel.send(MADCTL, order)
    panel.send(CASET, 0, 1, 0, 1)
    panel.send(RASET, 0, 2, 0, 2)
    panel.send(RAMWR, 0xF8, 0)
    assert lit(panel) == {place: RED}


@pytest.mark.parametrize(
    ("depth", "data", "first"),
    [
        (0x53, (0xF0, 0x00, 0xF0), [RED, GREEN]),
        (0x66, (0xFC, 0, 0, 0, 0xFC, 0), [RED, GREEN]),
        (0x55, (0xF8, 0, 0x84, 0x10), [RED, (132, 130, 132)]),
    ],
)
def test_depths_of_a_colour_display(
    panel: Wired, depth: int, data: tuple[int, ...], first: list[Pixel]
) -> None:
    panel.send(COLMOD, depth)
    panel.send(RAMWR, *data)
    assert panel.picture()[0][:2] == first


def test_what_a_colour_display_does_not_show() -> None:
    panel = Wired()
    assert panel.picture()[0][0] == BLACK  # it sleeps
    panel.send(SLPOUT)
    panel.send(DISPON)
    assert panel.picture()[0][0] == WHITE  # without INVON the panel shows the negative
    panel.send(INVON)
    panel.send(MADCTL, 0x08)
    panel.send(COLMOD, 0x55)
    panel.send(RAMWR, 0xF8, 0)
    assert lit(panel) == {(0, 0): BLUE}
    panel.send(0x01)
    assert not panel.is_on


def test_edges_are_kept() -> None:
    edges = Edges()
    edges.edge(True, 1.5)
    edges.edge(False, 1000001.0)
    assert edges.kept() == b"1.500,1\n1000001.000,0\n"


DRAW = """
import struct
from machine import SPI, Pin

spi, dc, cs = SPI(1, 20_000_000, sck=Pin(10), mosi=Pin(11)), Pin(15, Pin.OUT), Pin(13, Pin.OUT)


def send(command, data=b""):
    cs(0)
    dc(0)
    spi.write(bytes([command]))
    dc(1)
    spi.write(data)
    cs(1)


for command, data in ((17, b""), (33, b""), (41, b""), (58, b"\x55")):
    send(command, data)
send(42, struct.pack(">HH", 100, 109))
send(43, struct.pack(">HH", 200, 209))
send(44, b"\\xf8\\0" * 100)
spi.write(bytes(200))  # to nobody
"""
SIGNAL = """
import time
from machine import PWM, Pin

pin = Pin(14, Pin.OUT, value=0)
start = time.ticks_us()
pin(1)
print(start, time.ticks_us())
pin(0)
pwm = PWM(pin, freq=2000, duty_u16=16384)
time.sleep_ms(5)
pwm.deinit()
"""


@pytest.mark.boards("RPI_PICO")
def test_a_driver_draws_on_the_board(device: Device) -> None:
    result = device.run(DRAW, limit=10 * device.board.time_scale)
    assert result.error == b""
    rows = png_rows(device.kept("spi1.png"))
    square = b"\xff\0\0" * 10
    assert [row.count(b"\xff") for row in rows] == [0] * 200 + [10] * 10 + [0] * 110
    assert all(row[300:330] == square for row in rows[200:210])


@pytest.mark.boards("RPI_PICO")
def test_edges_have_the_boards_time(device: Device) -> None:
    result = device.run(SIGNAL, limit=10 * device.board.time_scale)
    assert result.error == b""
    before, after = map(int, result.output.split())
    lines = device.kept("gpio14.csv").decode().splitlines()
    edges = [(float(us), int(level)) for us, level in (line.split(",") for line in lines)]
    own = max(i for i, (us, level) in enumerate(edges) if level and before <= us <= after)
    rises = [us for us, level in edges[own + 2 :] if level]
    falls = [us for us, level in edges[own + 2 :] if not level]
    assert len(rises) >= 9
    assert {round(later - us) for us, later in pairwise(rises)} == {500}
    assert {round(fall - rise) for rise, fall in zip(rises, falls, strict=False)} == {125}
    with pytest.raises(
        ModthreadError, match=r"no wired device keeps spi0\.png; name one of gpio14"
    ):
        device.kept("spi0.png")


def test_a_display_shows_what_it_is_sent() -> None:
    display = Ssd1306()
    assert display.begin(read=False)
    for value in (0x80, 0x21, 0x80, 10, 0x80, 11, 0x80, 0x22, 0x80, 1, 0x80, 1):
        assert display.write(value)
    display.end()
    display.begin(read=False)
    for value in (0x40, 0b1, 0b10000000):
        display.write(value)
    display.end()
    lit = {(x, y) for y, row in enumerate(display.picture()) for x, on in enumerate(row) if on}
    assert lit == {(10, 8), (11, 15)}


def test_a_memory_keeps_what_is_written() -> None:
    memory = Memory()
    memory.begin(read=False)
    assert [memory.write(value) for value in (254, 1, 2)] == [True, True, False]
    memory.begin(read=False)
    memory.write(254)
    memory.begin(read=True)
    assert [memory.read(), memory.read(), memory.read()] == [1, 255, 0]


def test_loop_and_echo() -> None:
    loop = SpiDevice()
    assert [loop.transfer(value) for value in (1, 2, 3)] == [0, 1, 2]
    assert list(Echo().receive(65)) == [65]


def test_devices_are_wired(tmp_path: Path) -> None:
    chip = Chip()
    for what in (
        "i2c1:0x3c=ssd1306",
        "spi0=modthread.peripherals:SpiDevice",
        "uart1=echo",
        "spi1:dc=15,cs=13=st7789",
        "gpio14=edges",
    ):
        chip.wire(what)
    i2c, spi, uart = chip.i2c[1], chip.spi[0], chip.uart[1]
    assert isinstance(i2c, I2c)
    assert isinstance(i2c.devices[0x3C], Ssd1306)
    assert isinstance(spi, Spi)
    assert isinstance(spi.device, SpiDevice)
    assert isinstance(uart, Uart)
    assert isinstance(uart.peer, Echo)
    chip.keep(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["gpio14.csv", "i2c1-0x3c.png", "spi1.png"]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("i2c0=ssd1306", "say what and where"),
        ("i2c0:0x3c=echo", "say what and where"),
        ("spi2=loop", "say what and where"),
        ("spi0", "no device ''"),
        ("spi0:dc=14=echo", "say what and where"),
        ("spi0:0x3c=loop", "say what and where"),
        ("gpio30=edges", "say what and where"),
        ("gpio15=loop", "say what and where"),
        ("spi1:cs=13=st7789", "which pin is dc"),
        ("spi1:dc=30=st7789", "the chip has no pin 30"),
        ("spi0=builtins:object", "object is no device"),
        ("spi0=lcd", "no device 'lcd'"),
        ("spi0=modthread.peripherals:Lcd", "no device 'modthread.peripherals:Lcd'"),
    ],
)
def test_what_cannot_be_wired_is_refused(what: str, said: str) -> None:
    with pytest.raises(ModthreadError, match=said):
        Chip().wire(what)
