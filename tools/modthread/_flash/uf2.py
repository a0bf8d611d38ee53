"""Firmware images in the UF2 format (https://github.com/microsoft/uf2)."""

import struct
from dataclasses import dataclass
from pathlib import Path

from modthread._base import project
from modthread._boards.boards import Board, FlashConfig
from modthread._firmware import image
from modthread.errors import ModthreadError

BLOCK = struct.Struct("<8I476sI")
MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)  # two at the start of a block, one at its end
NOT_MAIN_FLASH = 0x0001
FAMILY_PRESENT = 0x2000
PAYLOAD = 256  # bytes; the boot ROM ignores blocks with any other number


@dataclass(frozen=True)
class Image:
    """A file that fits a board, and the `data` that is in flash once it has been written."""

    path: Path
    data: bytes


def read(path: Path, board: Board, flash: FlashConfig) -> Image:
    """Read the image in `path`; raises ModthreadError unless all of it belongs on `board`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        build = project.command("firmware", board.name)
        raise ModthreadError(
            f"{path}: {error.strerror}; build it with {build}, or name another file"
        ) from None
    count, rest = divmod(len(content), BLOCK.size)
    if rest or not count:
        raise _damaged(path, f"{len(content)} bytes are no whole number of blocks")
    limit = flash.rom.start + (_flash_size(path) or flash.rom.size)
    data = bytearray()
    for number, fields in enumerate(BLOCK.iter_unpack(content)):
        start0, start1, flags, address, size, block, blocks, family, payload, end = fields
        if (start0, start1, end) != MAGIC or flags & NOT_MAIN_FLASH or size != PAYLOAD:
            raise _damaged(path, f"block {number} is none")
        if not flags & FAMILY_PRESENT or family != flash.rom.family:
            raise ModthreadError(
                f"{path} is not for {flash.chip}: its family is {family:#010x}, "
                f"{board.name} takes {flash.rom.family:#010x}; name the right board"
            )
        if (block, blocks) != (number, count):
            raise _damaged(path, f"block {number} says that it is {block} of {blocks}")
        if not flash.rom.start <= address <= limit - PAYLOAD:
            raise ModthreadError(
                f"{path} does not fit: {address:#x} is not in {board.name}'s flash"
            )
        if address != flash.rom.start + len(data):
            raise _damaged(path, f"block {number} is for {address:#x}")
        data += payload[:PAYLOAD]
    return Image(path, bytes(data))


def _flash_size(path: Path) -> int | None:
    """Return what the ELF file beside the image says, None without one."""
    elf = path.with_suffix(".elf")
    return image.flash_size(image.Elf(elf)) if elf.is_file() else None


def restart(flash: FlashConfig) -> bytes:
    """Return the block that makes the boot ROM forget a copy that was interrupted.

    The boot ROM would skip blocks that it has already, though they may be of another image. It
    forgets them at a block that is one of none (pico-bootrom-rp2040, bootrom/virtual_disk.c).
    """
    start0, start1, end = MAGIC
    return BLOCK.pack(
        start0, start1, FAMILY_PRESENT, flash.rom.start, PAYLOAD, 0, 0, flash.rom.family, b"", end
    )


def _damaged(path: Path, reason: str) -> ModthreadError:
    return ModthreadError(f"{path} is damaged ({reason}); delete it and build it again")
