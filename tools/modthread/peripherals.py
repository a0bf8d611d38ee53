"""What can be wired to an emulated Pico: devices on its buses, for tests of drivers.

An emulator's command in ``board.toml`` wires them: ``-wire i2c0:0x3c=ssd1306``. A device of your
own is a class that inherits from one of these: ``-wire spi0=my_module:MyDisplay``. It runs within
the emulator's process. Each byte takes the time that the bus takes for it.
"""

import importlib
from collections.abc import Iterable

from modthread.errors import ModthreadError

__all__ = ["Echo", "I2CDevice", "Memory", "SpiDevice", "Ssd1306", "UartPeer", "device"]


class I2CDevice:
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


class SpiDevice:
    """A device on an SPI bus, always selected; this one sends what it has got one byte before."""

    def __init__(self) -> None:
        self._last = 0

    def transfer(self, value: int) -> int:
        """Take a word from the board; return what the board reads meanwhile."""
        value, self._last = self._last, value
        return value


class UartPeer:
    """What is at the other end of a UART; this one is silent."""

    def receive(self, value: int) -> Iterable[int]:
        """Take a byte; return what is sent to the board now."""
        return ()


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


KNOWN = {"echo": Echo, "memory": Memory, "ssd1306": Ssd1306, "loop": SpiDevice}


def device(name: str) -> object:
    """Return a new device: one of these, or of the class that ``module:Class`` names."""
    if name in KNOWN:
        return KNOWN[name]()
    module, _, kind = name.partition(":")
    try:
        made: object = getattr(importlib.import_module(module), kind)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ModthreadError(
            f"-wire: no device {name!r} ({error}); name one of {', '.join(KNOWN)}, or module:Class"
        ) from error
    return made
