"""What is flashed: the same as the ELF file says."""

from collections.abc import Iterator
from pathlib import Path

from modthread._firmware.image import uf2
from modthread._firmware.image.image import Fault, Image

CONVERT = "delete it and build again"


def contents(image: Image) -> dict[int, bytes]:
    """Return what the ELF file loads, by address."""
    return {one.load: one.data for one in image.elf.segments if one.data}


def _joined(pieces: dict[int, bytes]) -> tuple[int, bytes]:
    """Return the lowest address and all from there on, with zeros between the pieces."""
    start = min(pieces)
    joined = bytearray(max(address + len(data) for address, data in pieces.items()) - start)
    for address, data in pieces.items():
        joined[address - start : address - start + len(data)] = data
    return start, bytes(joined)


def binary(image: Image) -> Iterator[Fault]:
    """The .bin file has the same bytes."""
    path = image.elf.path.with_suffix(".bin")
    if image.chip.uf2_family is None or not path.is_file():
        return
    _, expected = _joined(contents(image))
    data = path.read_bytes()
    if data[: len(expected)] != expected or any(data[len(expected) :]):
        yield Fault(f"{path.name} differs from what the ELF file loads", CONVERT)


def uf2_file(image: Image) -> Iterator[Fault]:
    """The .uf2 file has the same bytes at the same addresses, for this chip, in numbered blocks."""
    path = image.elf.path.with_suffix(".uf2")
    if image.chip.uf2_family is None or not path.is_file():
        return
    try:
        blocks = list(uf2.blocks(path.read_bytes()))
    except ValueError as error:
        yield Fault(f"{path.name} {error}", CONVERT)
        return
    yield from _headers(image, path, blocks)
    yield from _payload(image, path, blocks)


def _headers(image: Image, path: Path, blocks: list[uf2.Block]) -> Iterator[Fault]:
    for place, one in enumerate(blocks):
        name = f"block {place} of {path.name}"
        if one.family != image.chip.uf2_family:
            family = "none" if one.family is None else f"{one.family:#x}"
            yield Fault(f"{name} is of family {family}, not {image.chip.uf2_family:#x}", CONVERT)
        if one.flags & uf2.NOT_FOR_FLASH:
            yield Fault(f"{name} is not for the flash", CONVERT)
        if (one.place, one.of) != (place, len(blocks)):
            yield Fault(f"{name} says it is {one.place} of {one.of}, not of {len(blocks)}", CONVERT)
        if one.address % uf2.PAYLOAD:
            yield Fault(f"{name} is for {one.address:#x}, no multiple of {uf2.PAYLOAD}", CONVERT)


def _payload(image: Image, path: Path, blocks: list[uf2.Block]) -> Iterator[Fault]:
    found = {one.address: one.data for one in blocks}
    if len(found) != len(blocks):
        yield Fault(f"{path.name} has two blocks for one address", CONVERT)
        return
    start, expected = _joined(contents(image))
    for address in range(start, start + len(expected), uf2.PAYLOAD):
        piece = expected[address - start :][: uf2.PAYLOAD]
        data = found.pop(address, b"")
        if data[: len(piece)] != piece:
            yield Fault(
                f"{path.name} differs at {address:#x} from what the ELF file loads", CONVERT
            )
            return
    if found:
        yield Fault(
            f"{path.name} has a block for {min(found):#x}, where nothing is loaded", CONVERT
        )
