"""What can be wired to an emulated Pico: devices on its buses and pins, for tests of drivers.

An emulator's command in ``board.toml`` wires them: ``-wire i2c0:0x3c=ssd1306``. A device of your
own is a class that inherits from one of these: ``-wire spi0=my_module:MyDisplay``. It runs within
the emulator's process. Each byte takes the time that the bus takes for it. What a device has kept,
as a display its picture, ``Device.kept()`` of modthread.device returns.
"""

import importlib
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from modthread.errors import ModthreadError

__all__ = [
    "Echo",
    "Edges",
    "I2CDevice",
    "Memory",
    "Peripheral",
    "PinDevice",
    "SpiDevice",
    "Ssd1306",
    "St7789",
    "UartPeer",
    "device",
]


class Peripheral:
    """What can be wired; this one keeps nothing."""

    KEPT = ""  # how the name of the file ends in which a test finds what it has kept

    def kept(self) -> bytes:
        """Return what is in that file."""
        return b""


class I2CDevice(Peripheral):
    """A device on an I2C bus; this one acknowledges all, and reads as ones."""

    stretch = 0.0  # seconds for which it holds the clock in each byte

    def begin(self, read: bool) -> bool:
        """Take a START with this device's address; return whether it acknowledges."""
        return True

    def write(self, value: int) -> bool:
        """Take a byte; return whether the device acknowledges it."""
        return True

    def read(self) -> int:
        """Return the next byte."""
        return 0xFF

    def end(self) -> None:
        """Take a STOP, or a START for another device."""


class SpiDevice(Peripheral):
    """A device on an SPI bus; this one sends what it has got one byte before.

    `levels` are the board's pins that are wired to it, by name: ``-wire spi1:dc=15,cs=13=st7789``.
    It gets words while its ``cs`` is low, or all words if it has no such pin.
    """

    NEEDS: frozenset[str] = frozenset()  # pins
    levels: Mapping[str, Callable[[], bool]] = {}

    def __init__(self) -> None:
        self._last = 0

    def transfer(self, value: int) -> int:
        """Take a word from the board; return what the board reads meanwhile."""
        value, self._last = self._last, value
        return value


class UartPeer(Peripheral):
    """What is at the other end of a UART; this one is silent."""

    def receive(self, value: int) -> Iterable[int]:
        """Take a byte; return what is sent to the board now."""
        return ()


class PinDevice(Peripheral):
    """What is wired to a pin of the board, and sees its level; this one takes no notice."""

    def edge(self, high: bool, us: float) -> None:
        """Take a change of the level, and when it came: `us` is what time.ticks_us() counts."""


class Echo(UartPeer):
    """Sends back what it gets."""

    def receive(self, value: int) -> Iterable[int]:
        """Take a byte; return it."""
        return (value,)


class Memory(I2CDevice):
    """256 registers: the first byte of a write says which one is next.

    The last one does not acknowledge a write, as a device that is full.
    """

    def __init__(self) -> None:
        self.registers = bytearray(range(256))
        self._next = 0
        self._addressed = False

    def begin(self, read: bool) -> bool:
        """Take a START."""
        self._addressed = read
        return True

    def write(self, value: int) -> bool:
        """Take the number of a register, then what goes into it and those that follow."""
        if not self._addressed:
            self._addressed = True
            self._next = value
            return True
        if self._next == len(self.registers) - 1:
            return False
        self.registers[self._next] = value
        self._next += 1
        return True

    def read(self) -> int:
        """Return what is in the next register."""
        value = self.registers[self._next]
        self._next = (self._next + 1) % len(self.registers)
        return value


class Ssd1306(I2CDevice):
    """A display of 128 by 64 pixels, as far as MicroPython's driver uses it."""

    KEPT = ".png"
    WIDTH, HEIGHT = 128, 64
    WITH_BYTES = {0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1} | {
        0xD9: 1,
        0xDA: 1,
        0xDB: 1,
    }

    def __init__(self) -> None:
        self.memory = bytearray(self.WIDTH * self.HEIGHT // 8)
        self.transfers = 0  # of data
        self._columns, self._pages = (0, 127), (0, 7)
        self._column = self._page = 0
        self._control: int | None = None
        self._command: list[int] = []

    def begin(self, read: bool) -> bool:
        """Take a START."""
        self._control = None
        return True

    def write(self, value: int) -> bool:
        """Take a control byte, then commands or pixels."""
        if self._control is None:
            self._control = value
            self.transfers += value == 0x40
        elif self._control & 0x40:
            self._pixels(value)
        else:
            self._obey(value)
            if self._control & 0x80:
                self._control = None
        return True

    def picture(self) -> list[list[bool]]:
        """Return the rows of the picture."""
        return [
            [bool(self.memory[y // 8 * self.WIDTH + x] >> y % 8 & 1) for x in range(self.WIDTH)]
            for y in range(self.HEIGHT)
        ]

    def kept(self) -> bytes:
        """Return the picture as a PNG file, white on black."""
        pixels = (255 * on for row in self.picture() for on in row for _ in range(3))
        return png(self.WIDTH, bytes(pixels))

    def _pixels(self, value: int) -> None:
        self.memory[self._page * self.WIDTH + self._column] = value
        self._column += 1
        if self._column > self._columns[1]:
            self._column = self._columns[0]
            self._page = self._page + 1 if self._page < self._pages[1] else self._pages[0]

    def _obey(self, value: int) -> None:
        self._command.append(value)
        command, *values = self._command
        if len(values) < self.WITH_BYTES.get(command, 0):
            return
        self._command = []
        if command == 0x21:
            self._columns = (values[0], values[1])
            self._column = values[0]
        elif command == 0x22:
            self._pages = (values[0], values[1])
            self._page = values[0]


class St7789(SpiDevice):
    """A display of 240 by 320 pixels with a controller ST7789, that drivers only write to.

    Its pin ``dc`` is low for commands. The panel is an IPS one, as on most modules: its colours are
    right with INVON. Chapter 9 of Sitronix's datasheet has the commands.
    """

    KEPT = ".png"
    NEEDS = frozenset({"dc"})
    WIDTH, HEIGHT = 240, 320
    SWRESET, SLPIN, SLPOUT, INVOFF, INVON, DISPOFF, DISPON = (
        0x01,
        0x10,
        0x11,
        0x20,
        0x21,
        0x28,
        0x29,
    )
    CASET, RASET, RAMWR, MADCTL, COLMOD, WRMEMC = 0x2A, 0x2B, 0x2C, 0x36, 0x3A, 0x3C
    MADCTL_MY, MADCTL_MX, MADCTL_MV, MADCTL_BGR = 0x80, 0x40, 0x20, 0x08
    PIXEL_BYTES: ClassVar = {3: 3, 5: 2, 6: 3}  # by COLMOD; for 3 two pixels of 12 bits

    def __init__(self) -> None:
        super().__init__()
        self.memory = bytearray(3 * self.WIDTH * self.HEIGHT)  # red, green, blue; eight bits each
        self._reset()

    def transfer(self, value: int) -> int:
        """Take a byte of a command or, while ``dc`` is high, of what belongs to it."""
        if not self.levels["dc"]():
            self._begin(value)
        elif self._command in (self.RAMWR, self.WRMEMC):
            self._data.append(value)
            if len(self._data) == self.PIXEL_BYTES[self._format]:
                self._pixels()
        else:
            self._data.append(value)
            self._parameter()
        return 0

    @property
    def is_on(self) -> bool:
        """Whether it shows anything: it is awake, and has been switched on."""
        return self._awake and self._on

    def picture(self) -> list[list[tuple[int, int, int]]]:
        """Return the rows of the picture: red, green and blue of each pixel, 0 to 255."""
        rgb = self._shown()
        pixels = list(zip(rgb[0::3], rgb[1::3], rgb[2::3], strict=True))
        return [pixels[i : i + self.WIDTH] for i in range(0, len(pixels), self.WIDTH)]

    def kept(self) -> bytes:
        """Return the picture as a PNG file."""
        return png(self.WIDTH, self._shown())

    def _shown(self) -> bytes:
        if not self.is_on:
            return bytes(len(self.memory))
        shown = bytearray(self.memory)
        if self._order & self.MADCTL_BGR:
            shown[0::3], shown[2::3] = shown[2::3], shown[0::3]
        return bytes(shown if self._inverted else (255 - value for value in shown))

    def _reset(self) -> None:
        self._awake = self._on = self._inverted = False
        self._order, self._format = 0, 6
        self._columns, self._rows = (0, self.WIDTH - 1), (0, self.HEIGHT - 1)
        self._x = self._y = 0
        self._command = 0
        self._data: list[int] = []

    def _begin(self, command: int) -> None:
        self._command, self._data = command, []
        match command:
            case self.SWRESET:
                self._reset()
            case self.SLPIN | self.SLPOUT:
                self._awake = command == self.SLPOUT
            case self.INVOFF | self.INVON:
                self._inverted = command == self.INVON
            case self.DISPOFF | self.DISPON:
                self._on = command == self.DISPON
            case self.RAMWR:
                self._x, self._y = self._columns[0], self._rows[0]

    def _parameter(self) -> None:
        match self._command, self._data:
            case self.CASET, [a, b, c, d]:
                self._columns = (a << 8 | b, c << 8 | d)
            case self.RASET, [a, b, c, d]:
                self._rows = (a << 8 | b, c << 8 | d)
            case self.MADCTL, [order]:
                self._order = order
            case self.COLMOD, [depth] if depth & 7 in self.PIXEL_BYTES:
                self._format = depth & 7

    def _pixels(self) -> None:
        data, self._data = self._data, []
        word = int.from_bytes(bytes(data), "big")
        match self._format:
            case 3:
                for shift in (12, 0):
                    self._pixel(*(17 * (word >> shift + bits & 15) for bits in (8, 4, 0)))
            case 5:
                red, green, blue = word >> 11, word >> 5 & 63, word & 31
                self._pixel(red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2)
            case _:
                self._pixel(*(value & 0xFC | value >> 6 for value in data))

    def _pixel(self, *colours: int) -> None:
        column, row = (self._y, self._x) if self._order & self.MADCTL_MV else (self._x, self._y)
        if self._order & self.MADCTL_MX:
            column = self.WIDTH - 1 - column
        if self._order & self.MADCTL_MY:
            row = self.HEIGHT - 1 - row
        if 0 <= column < self.WIDTH and 0 <= row < self.HEIGHT:
            at = 3 * (row * self.WIDTH + column)
            self.memory[at : at + 3] = bytes(colours)
        self._x += 1
        if self._x > self._columns[1]:
            self._x = self._columns[0]
            self._y = self._y + 1 if self._y < self._rows[1] else self._rows[0]


class Edges(PinDevice):
    """Keeps when the last 100,000 edges of a pin came, in microseconds of time.ticks_us()."""

    KEPT = ".csv"

    def __init__(self) -> None:
        self.edges: deque[tuple[float, bool]] = deque(maxlen=100_000)

    def edge(self, high: bool, us: float) -> None:
        """Take an edge."""
        self.edges.append((us, high))

    def kept(self) -> bytes:
        """Return a line for each edge: its time in microseconds, and 1 if it is a rising one."""
        return "".join(f"{us:.3f},{high:d}\n" for us, high in self.edges).encode()


def png(width: int, rgb: bytes) -> bytes:
    """Return a picture as a PNG file: red, green and blue of each pixel, row after row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    rows = [rgb[at : at + 3 * width] for at in range(0, len(rgb), 3 * width)]
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)  # eight bits, RGB
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


KNOWN: dict[str, type[Peripheral]] = {
    "echo": Echo,
    "edges": Edges,
    "loop": SpiDevice,
    "memory": Memory,
    "ssd1306": Ssd1306,
    "st7789": St7789,
}


def device(name: str) -> Peripheral:
    """Return a new device: one of these, or of the class that ``module:Class`` names."""
    if name in KNOWN:
        return KNOWN[name]()
    module, _, kind = name.partition(":")
    try:
        made = getattr(importlib.import_module(module), kind)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ModthreadError(
            f"-wire: no device {name!r} ({error}); name one of {', '.join(KNOWN)}, or module:Class"
        ) from error
    if not isinstance(made, Peripheral):
        raise ModthreadError(
            f"-wire: {name} is no device; it has to inherit from one of modthread.peripherals"
        )
    return made
