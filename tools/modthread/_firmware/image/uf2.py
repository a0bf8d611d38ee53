"""UF2 files, as RP2 chips' boot ROM takes them: github.com/microsoft/uf2, "File format"."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

BLOCK = 512
HEADER = struct.Struct("<8I")
PAYLOAD = 256
MAGIC = (0x0A32_4655, 0x9E5D_5157)
END = 0x0AB1_6F30
NOT_FOR_FLASH, HAS_FAMILY = 0x1, 0x2000


class Block(NamedTuple):
    """One block, which is the one at `place` of so many; `family` is None where it has none."""

    flags: int
    address: int
    place: int
    of: int
    family: int | None
    data: bytes


def blocks(data: bytes) -> Iterator[Block]:
    """Yield the blocks of a file; raises ValueError with what is wrong with it."""
    if not data or len(data) % BLOCK:
        raise ValueError(f"has {len(data)} bytes, no multiple of {BLOCK}")
    for offset in range(0, len(data), BLOCK):
        block = data[offset : offset + BLOCK]
        first, second, flags, address, size, number, count, family = HEADER.unpack_from(block)
        if (first, second) != MAGIC or int.from_bytes(block[-4:], "little") != END:
            raise ValueError(f"has no block of UF2 at {offset}")
        if size != PAYLOAD:
            raise ValueError(f"has {size} bytes in block {number}: the boot ROM takes {PAYLOAD}")
        payload = block[HEADER.size : HEADER.size + size]
        yield Block(flags, address, number, count, family if flags & HAS_FAMILY else None, payload)
