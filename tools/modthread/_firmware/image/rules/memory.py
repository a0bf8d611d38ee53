"""Where everything is."""

from collections.abc import Iterator
from itertools import pairwise

from modthread._firmware.image.chips import FLASH, RAM
from modthread._firmware.image.image import Fault, Image

SCRIPT = "correct the linker script"

Piece = tuple[int, int, str]  # start, end, name


def within(image: Image) -> Iterator[Fault]:
    """What has an address is in the chip's memories, and what is loaded in memory that keeps it."""
    for one in image.elf.allocated:
        memory = image.memory_at(one.address)
        where = f"{one.address:#x} to {one.end:#x}"
        if memory is None:
            yield Fault(f"{one.name} is at {where}, where no memory is", SCRIPT)
        elif one.end > memory.end:
            yield Fault(f"{one.name} at {where} ends after its {memory.kind}", SCRIPT)
        elif one.writable and memory.kind != RAM and not image.chip.esptool:  # IDF says so of all
            yield Fault(f"{one.name} is written, and at {where} in {memory.kind}", SCRIPT)
    yield from _loaded(image)


def _loaded(image: Image) -> Iterator[Fault]:
    if not image.chip.boot:
        return
    flash = next(one for one in image.chip.memories if one.kind == FLASH)
    end = flash.start + (image.flash_size or flash.size)
    for one in image.elf.segments:
        last = one.load + len(one.data)
        if one.data and not flash.start <= one.load < last <= end:
            yield Fault(
                f"{one.load:#x} to {last:#x} is loaded, and not in the board's flash", SCRIPT
            )


def overlaps(image: Image) -> Iterator[Fault]:
    """Sections do not overlap, nor does what is loaded, nor stacks and heap and anything."""
    # Without data in flash, a section keeps addresses for what is mapped elsewhere: ESP32-S3.
    sections = [
        (one.address, one.end, one.name)
        for one in image.elf.allocated
        if one.data or image.kind_at(one.address) != FLASH
    ]
    yield from _overlaps(sections)
    yield from _overlaps(
        [
            (one.load, one.load + len(one.data), f"what is loaded to {one.load:#x}")
            for one in image.elf.segments
        ]
    )
    spans = [piece for piece, _ in _spans(image)]
    known = {name for _, _, name in spans}
    yield from _overlaps([*spans, *(one for one in sections if one[2] not in known)])


def _overlaps(pieces: list[Piece]) -> Iterator[Fault]:
    for (_, end, name), (start, _, other) in pairwise(
        sorted(one for one in pieces if one[0] < one[1])
    ):
        if start < end:
            yield Fault(f"{name} and {other} overlap at {start:#x}", SCRIPT)


def _spans(image: Image) -> Iterator[tuple[Piece, int]]:
    for one in image.chip.spans:
        start, end = image.value(one.start), image.value(one.end)
        if start is not None and end is not None:
            yield (start, end, one.name), one.alignment


def spans(image: Image) -> Iterator[Fault]:
    """Stacks and heap are in RAM, and aligned."""
    for (start, end, name), alignment in _spans(image):
        where = f"{name}, {start:#x} to {end:#x},"
        if start > end:
            yield Fault(f"{where} ends before it begins", SCRIPT)
        elif start % alignment or end % alignment:
            yield Fault(f"{where} is not aligned to {alignment}", SCRIPT)
        elif start < end and {image.kind_at(start), image.kind_at(end - 1)} != {RAM}:
            yield Fault(f"{where} is not in RAM", SCRIPT)
