"""A program that behaves like a board of the ESP32 family on a pseudo-terminal.

It is fake_board.py until esptool speaks to it, and then its boot ROM, which takes an image
(https://docs.espressif.com/projects/esptool, "Serial Protocol"); the ROM's own loader only, without
the stub. It has no reset line: a SLIP frame finds the ROM, and anything else MicroPython.

FAKE_FLASH in the environment is the file with what is in flash; FAKE_CHIP is esptool's number of
the chip, FAKE_MACHINE MicroPython's name. FAKE_DIES_AT is the number of the block at which it is
unplugged, FAKE_GARBLES that of a block that it writes wrong. MicroPython does not answer while
"hangs" is in flash.
"""

import hashlib
import os
import struct
import sys
from pathlib import Path
from types import ModuleType

from fake_board import FakeBoard, main, set_version

SLIP_END, SLIP_ESCAPES = b"\xc0", {b"\xdb\xdd": b"\xdb", b"\xdb\xdc": b"\xc0"}
FLASH_BEGIN, FLASH_DATA, SYNC, READ_REG, MD5, SECURITY_INFO = 0x02, 0x03, 0x08, 0x0A, 0x13, 0x14
CHECKSUM_SEED = 0xEF
FLASH_ID_REGISTER, FLASH_ID = 0x60002058, 0x1640EF  # SPI_W0 of the ESP32-C3; 4 MB
SECTOR = 4096


class FakeEsp32(FakeBoard):
    """The board's serial line, and the boot ROM behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(os.environ["FAKE_FLASH"])
        self.blocks = 0
        self.offset = 0

    def read(self) -> bytes:
        """Return what is for MicroPython."""
        data = super().read()
        if not data.startswith(SLIP_END):
            return b"" if b"hangs" in self.file.read_bytes() else data
        for_micropython = self.rom(data)
        load_flash(self.file)
        return for_micropython

    def rom(self, data: bytes) -> bytes:
        """Answer frames until something else comes, and return that."""
        while data.startswith(SLIP_END) or not data:
            frame, end, rest = data[1:].partition(SLIP_END)
            if not end:
                data += super().read()
                continue
            if frame:
                self.answer(unescaped(frame))
            data = rest or super().read()
        return data

    def answer(self, frame: bytes) -> None:
        _, command, size, checksum = struct.unpack_from("<BBHI", frame)
        data = frame[8:]
        assert len(data) == size
        value, answer, status = 0, b"", 0
        if command == SECURITY_INFO:
            answer = struct.pack("<IB7xII", 0, 0, int(os.environ.get("FAKE_CHIP", "5")), 0)
        elif command == READ_REG and struct.unpack("<I", data)[0] == FLASH_ID_REGISTER:
            value = FLASH_ID
        elif command == FLASH_BEGIN:
            self.begin(*struct.unpack_from("<IIII", data))
        elif command == FLASH_DATA:
            status = self.write_block(data[16:], checksum)
        elif command == MD5:
            answer = self.md5(*struct.unpack_from("<II", data))
        response = struct.pack("<BBHI", 1, command, len(answer) + 4, value) + answer
        for _ in range(8 if command == SYNC else 1):
            self.write(SLIP_END + escaped(response + bytes([status, 0, 0, 0])) + SLIP_END)

    def begin(self, size: int, _count: int, _block_size: int, offset: int) -> None:
        self.offset = offset
        with self.file.open("r+b") as flash:
            flash.seek(offset)
            flash.write(b"\xff" * (-(-size // SECTOR) * SECTOR))

    def write_block(self, data: bytes, checksum: int) -> int:
        """Return the status: 1 where the checksum is wrong."""
        xor = CHECKSUM_SEED
        for byte in data:
            xor ^= byte
        if xor != checksum:
            return 1
        self.blocks += 1
        if str(self.blocks) == os.environ.get("FAKE_DIES_AT"):
            self.die()
        if str(self.blocks) == os.environ.get("FAKE_GARBLES"):
            data = data[:-1] + bytes([data[-1] ^ 1])
        with self.file.open("r+b") as flash:
            flash.seek(self.offset)
            flash.write(data)
        self.offset += len(data)
        return 0

    def md5(self, offset: int, size: int) -> bytes:
        content = self.file.read_bytes()[offset : offset + size]
        return hashlib.md5(content).hexdigest().encode()


def unescaped(frame: bytes) -> bytes:
    for code, byte in reversed(SLIP_ESCAPES.items()):
        frame = frame.replace(code, byte)
    return frame


def escaped(frame: bytes) -> bytes:
    for code, byte in SLIP_ESCAPES.items():
        frame = frame.replace(byte, code)
    return frame


def load_flash(file: Path) -> None:
    """Let scripts read the flash, and find in it which modthread they run on."""
    content = file.read_bytes()
    sys.modules["esp"] = esp = ModuleType("esp")

    def flash_read(offset: int, buffer: memoryview) -> None:
        buffer[:] = content[offset : offset + len(buffer)]

    setattr(esp, "flash_read", flash_read)  # noqa: B010
    set_version(content)


if __name__ == "__main__":
    load_flash(Path(os.environ["FAKE_FLASH"]))
    main(FakeEsp32())
