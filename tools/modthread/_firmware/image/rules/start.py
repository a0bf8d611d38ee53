"""What runs first: the flash's beginning, the vector table, and the tables of functions."""

import zlib
from collections.abc import Iterator, Set

from modthread._firmware.image import thumb
from modthread._firmware.image.chips import FLASH, RAM, ROM, Vectors
from modthread._firmware.image.elf import FUNCTION, MAPPING, NO_TYPE, OBJECT
from modthread._firmware.image.image import Fault, Image

BOOT2_SIZE = 256
BLOCK_START, BLOCK_END = 0xFFFF_DED3, 0xAB12_3579  # RP2350 datasheet, 5.9.5
LITERAL_REACH = 4096  # bytes from an instruction to the constant that it loads
BLOCK_WITHIN = 4096  # bytes from the flash's beginning
THUMB_LINK = "link with the chip's -mcpu and -mthumb, and give assembler functions .thumb_func"


def entry(image: Image) -> Iterator[Fault]:
    """The file's entry point is code."""
    if wrong := wrong_pointer(image, image.elf.entry):
        yield Fault(f"its entry point {wrong}", _remedy(image))


def vectors(image: Image) -> Iterator[Fault]:
    """The vector table is where the chip can take it, and all in it can be used."""
    table = image.chip.vectors
    if table is None:
        return
    start = image.value(table.symbol) if table.symbol else table.address
    if start is None or image.elf.read(start, 4 * table.count) is None:
        yield Fault(f"it has no table of {table.count} vectors", "link the port's start code")
        return
    if start % table.alignment:
        what = f"its vector table at {start:#x} is not aligned to {table.alignment}"
        yield Fault(what, "align it in the linker script")
    yield from _stack_pointer(image, image.elf.word(start) or 0)
    yield from _handlers(image, table, start)


def _stack_pointer(image: Image, value: int) -> Iterator[Fault]:
    what = f"its initial stack pointer {value:#x}"
    if value % 8:
        yield Fault(f"{what} is not aligned to 8", "align the stack in the linker script")
    if image.kind_at(value - 1) != RAM:
        yield Fault(f"{what} is not in RAM", "correct the stack's symbol in the linker script")
        return
    section = image.elf.section_at(value - 4)
    if section and section.name not in image.chip.stack_sections:
        yield Fault(f"{what} is in {section.name}", "give the stack memory of its own")


def _handlers(image: Image, table: Vectors, start: int) -> Iterator[Fault]:
    for index in range(1, table.count):
        pointer = image.elf.word(start + 4 * index) or 0
        if pointer == 0 and index in table.reserved:
            continue
        if wrong := wrong_pointer(image, pointer):
            yield Fault(f"vector {index} {wrong}", THUMB_LINK)


def pointers(image: Image) -> Iterator[Fault]:
    """The tables that the start code and the C library go through hold functions."""
    for table in image.chip.pointers:
        start, end = image.value(table.start), image.value(table.end)
        if start is None or end is None:
            continue
        if (end - start) % table.stride:
            what = f"the table from {table.start} to {table.end} is cut off"
            yield Fault(what, "keep its sections together in the linker script")
        for address in range(start, end - 3, table.stride):
            pointer = image.elf.word(address) or 0
            if wrong := wrong_pointer(image, pointer):
                yield Fault(
                    f"entry {(address - start) // table.stride} of {table.start} {wrong}",
                    _remedy(image),
                )
    for section in image.elf.allocated:
        if section.name in (".ctors", ".dtors"):
            for offset in range(0, len(section.data) - 3, 4):
                pointer = int.from_bytes(section.data[offset : offset + 4], "little")
                if pointer in (0, 0xFFFF_FFFF):  # its ends
                    continue
                if wrong := wrong_pointer(image, pointer):
                    what = f"entry {offset // 4} of {section.name} {wrong}"
                    yield Fault(what, _remedy(image))


# A table names a function at least once in so many words.
TABLE_WORDS = 256


def constants(image: Image) -> Iterator[Fault]:
    """Nothing else holds an even pointer to a function: tables of handlers, of methods, any code.

    A word of four bytes may be any number, or part of bytecode. So a table is what holds right
    pointers, too; and a function's own constant is wrong if the function branches to it. Where
    addresses of code are too small to be told from numbers, nobody looks.
    """
    if image.elf.machine != "EM_ARM":
        return
    names = {
        one.value & ~1: one.name
        for one in image.elf.symbols
        if one.kind in (NO_TYPE, FUNCTION) and one.name[:2] not in MAPPING
        if image.kind_at(one.value) in (FLASH, RAM) and _is_code(image, one.value & ~1)
    }
    for address, word in _words(image, names.keys()):
        if image.elf.function_at(address):
            yield from _even_branches(image, address, word, names[word])
        elif word in image.elf.names and _is_in_table(image, address):
            yield Fault(f"{names[word]}() is named by an even pointer at {address:#x}", THUMB_LINK)


def _is_in_table(image: Image, address: int) -> bool:
    """Return whether the object at `address` consists of words, of which some name functions.

    Among the words of a radio's firmware, a few are such by chance.
    """
    for one in image.elf.symbols:
        if one.kind == OBJECT and one.value <= address < one.value + one.size:
            if one.value % 4 or one.size % 4:
                return False
            words = memoryview(image.elf.read(one.value, one.size) or b"").cast("I")
            right = sum(word & 1 and word & ~1 in image.elf.names for word in words)
            return right > len(words) // TABLE_WORDS
    return False


def _even_branches(image: Image, address: int, target: int, name: str) -> Iterator[Fault]:
    """The constant at `address` is even: look at who could load it to branch there."""
    for function in image.elf.functions:
        near = 0 <= address - function.start <= LITERAL_REACH
        if near and (target, True) in thumb.branches(image.elf, function):
            what = f"{function.name}() branches to {name}() by an even pointer"
            yield Fault(what, THUMB_LINK)


def _words(image: Image, values: Set[int]) -> Iterator[tuple[int, int]]:
    """Yield the address of each word that is one of `values` and not code, and the word."""
    for section in image.elf.allocated:
        words = memoryview(section.data[: len(section.data) & ~3]).cast("I")
        for index, word in enumerate(words):
            address = section.address + 4 * index
            if word in values and not _is_code(image, address):
                yield address, word


def _remedy(image: Image) -> str:
    return THUMB_LINK if image.elf.machine == "EM_ARM" else "correct the linker script"


def wrong_pointer(image: Image, pointer: int) -> str:
    """Return what is wrong with a pointer to a function, empty if nothing is."""
    if image.elf.machine == "EM_ARM":
        if not pointer & 1:
            return f"is even: {image.elf.name_of(pointer)}"
        if not _is_code(image, pointer & ~1):
            return f"is where no code is: {pointer:#x}"
        return ""
    if image.kind_at(pointer) == ROM:
        return ""
    section = image.elf.section_at(pointer)
    return "" if section and section.executable else f"is where no code is: {pointer:#x}"


def _is_code(image: Image, address: int) -> bool:
    return any(one.kind == "$t" for one in thumb.overlapping(image.elf, address, address + 2))


def boot(image: Image) -> Iterator[Fault]:
    """The flash begins with what the boot ROM looks for."""
    flash = next((one for one in image.chip.memories if one.kind == FLASH), None)
    if flash is None or not image.chip.boot:
        return
    if image.chip.boot == "boot2":
        yield from _boot2(image.elf.read(flash.start, BOOT2_SIZE))
    else:
        size = min(BLOCK_WITHIN, max((len(one.data) for one in image.elf.segments), default=0))
        yield from _block(image.elf.read(flash.start, size) or b"")


def _boot2(data: bytes | None) -> Iterator[Fault]:
    relink = "link pico-sdk's boot_stage2 for this board"
    if data is None or not any(data):
        yield Fault("it has no second stage of the boot at the flash's beginning", relink)
    elif int.from_bytes(data[-4:], "little") != checksum(data[:-4]):
        yield Fault("the boot ROM will refuse its second stage: wrong checksum", relink)


def _block(data: bytes) -> Iterator[Fault]:
    start = data.find(BLOCK_START.to_bytes(4, "little"))
    if start < 0 or data.find(BLOCK_END.to_bytes(4, "little"), start) < 0:
        what = f"the boot ROM will find no image definition in the first {BLOCK_WITHIN} bytes"
        yield Fault(what, "link pico-sdk's embedded block")


# A byte with its bits in the other order.
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(data: bytes) -> int:
    """Return the RP2040's: CRC-32 with the highest bit first, not inverted at its end."""
    mirrored = zlib.crc32(data.translate(MIRRORED)) ^ 0xFFFF_FFFF
    return int(f"{mirrored:032b}"[::-1], 2)
