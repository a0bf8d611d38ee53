"""What ESP-IDF makes of the ELF file: the application, and the partitions it goes into."""

import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from modthread._firmware.image.image import Fault, Image

REBUILD = "delete it and build again"
# ESP-IDF writes the ELF file's checksum into the application's description: esp_app_desc_t, its
# magic_word and app_elf_sha256.
DESCRIPTION = (0xABCD_5432).to_bytes(4, "little")
ELF_CHECKSUM = slice(0x90, 0xB0)
ENTRY = struct.Struct("<HBBII16sI")  # magic, type, subtype, offset, size, name, flags
ENTRY_MAGIC = 0x50AA
APPLICATION = 0


class Partition(NamedTuple):
    """One line of the table; `kind` 0 is an application."""

    name: str
    kind: int
    start: int
    size: int


def application(image: Image) -> Iterator[Fault]:
    """esptool reads the application, its checksums are right, and it is the ELF file's content."""
    path = image.beside("micropython.bin") or image.elf.path.with_suffix(".bin")
    if not image.chip.esptool or not path.is_file():
        return
    from esptool.bin_image import LoadFirmwareImage  # takes a second
    from esptool.util import FatalError

    try:
        found = LoadFirmwareImage(image.chip.esptool, path.read_bytes())
    except (FatalError, struct.error) as error:
        yield Fault(f"esptool refuses {path.name}: {error}", REBUILD)
        return
    yield from _header(image, path, found)
    yield from _segments(image, path, found)


def _header(image: Image, path: Path, found: Any) -> Iterator[Fault]:
    expected = found.ROM_LOADER.IMAGE_CHIP_ID
    if found.chip_id != expected:
        yield Fault(f"{path.name} is for chip {found.chip_id}, not for {expected}", REBUILD)
    if found.checksum != found.calculate_checksum():
        yield Fault(f"{path.name} has a wrong checksum", REBUILD)
    if found.append_digest and found.stored_digest != found.calc_digest:
        yield Fault(f"{path.name} has a wrong SHA-256", REBUILD)
    if found.entrypoint != image.elf.entry:
        what = f"{path.name} starts at {found.entrypoint:#x}, the ELF file at {image.elf.entry:#x}"
        yield Fault(what, REBUILD)


def _segments(image: Image, path: Path, found: Any) -> Iterator[Fault]:
    pieces = _joined(found.segments)
    for section in image.elf.allocated:
        if not section.data:
            continue
        data = next(
            (
                data[section.address - start :][: section.size]
                for start, data in pieces.items()
                if start <= section.address and section.end <= start + len(data)
            ),
            None,
        )
        if data is None:
            yield Fault(f"{path.name} lacks {section.name}", REBUILD)
        elif _without_checksum(data) != _without_checksum(section.data):
            yield Fault(f"{path.name} differs in {section.name} from the ELF file", REBUILD)


def _joined(segments: list[Any]) -> dict[int, bytes]:
    """Return what is loaded, by address; esptool splits what is in RAM to fill gaps in flash."""
    joined: dict[int, bytes] = {}
    start = end = -1
    for one in sorted(segments, key=lambda one: one.addr):
        if one.addr != end:
            start = one.addr
        joined[start] = joined.get(start, b"") + one.data
        end = one.addr + len(one.data)
    return joined


def _without_checksum(data: bytes) -> bytes:
    if not data.startswith(DESCRIPTION):
        return data
    return data[: ELF_CHECKSUM.start] + data[ELF_CHECKSUM.stop :]


def partitions(image: Image) -> Iterator[Fault]:
    """The application fits into its partitions, and these do not overlap."""
    table = image.elf.path.with_name("partition_table") / "partition-table.bin"
    if not image.chip.esptool or not table.is_file():
        return
    found = sorted(_entries(table.read_bytes()), key=lambda one: one.start)
    remedy = "correct the table of partitions"
    for one, following in pairwise(found):
        if one.start + one.size > following.start:
            yield Fault(f"partitions {one.name} and {following.name} overlap", remedy)
    path = image.beside("micropython.bin") or image.elf.path.with_suffix(".bin")
    size = path.stat().st_size if path.is_file() else 0
    for one in found:
        if one.kind == APPLICATION and size > one.size:
            yield Fault(
                f"{path.name} has {size} bytes, its partition {one.name} {one.size}", remedy
            )


def _entries(data: bytes) -> Iterator[Partition]:
    for offset in range(0, len(data) - ENTRY.size + 1, ENTRY.size):
        magic, kind, _, start, size, name, _ = ENTRY.unpack_from(data, offset)
        if magic != ENTRY_MAGIC:
            return
        yield Partition(name.rstrip(b"\0").decode(errors="replace"), kind, start, size)
