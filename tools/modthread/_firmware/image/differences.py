"""What two images have in common, fact by fact: of ours and stock's should be all but a few."""

import re
from collections.abc import Iterator

from modthread._firmware.image import thumb
from modthread._firmware.image.calls import is_veneer
from modthread._firmware.image.elf import Function
from modthread._firmware.image.image import Image
from modthread._firmware.image.rules.start import BOOT2_SIZE

BREAKPOINT = b"\0\xbe"  # the instruction that is all of pico-sdk's default handlers
ABSENT = "-"
# The code from reset to main(): of pico-sdk's crt0.S and pico_runtime, or of ports/qemu.
START = (
    "runtime_init",
    "runtime_run_initializers",
    "runtime_init_install_ram_vector_table",
    "__wrap_runtime_init_clocks",
    "Reset_Handler",
)
# In build.ninja.
VALUE = re.compile(r"^build \S+: (?P<rule>[A-Z_]+)__firmware\w*.*\n(?P<rest>(?:  .*\n)*)", re.M)
SETTING = re.compile(r"^  (?P<name>DEFINES|FLAGS|LINK_FLAGS) = (?P<text>.*)$", re.M)
FILE_NAME = re.compile(r"/\S*/")


def compare(ours: Image, stock: Image) -> dict[str, tuple[str, str]]:
    """Return each fact that is not the same: what it is in stock's image, and in ours."""
    first, second = dict(facts(stock)), dict(facts(ours))
    return {
        name: (first.get(name, ABSENT), second.get(name, ABSENT))
        for name in sorted({*first, *second})
        if first.get(name, ABSENT) != second.get(name, ABSENT)
    }


def facts(image: Image) -> Iterator[tuple[str, str]]:
    """Yield what is told of an image: a name, and a text without addresses."""
    elf = image.elf
    yield "machine", elf.machine
    yield "entry point", _named(image, elf.entry)
    for attribute, value in elf.attributes.items():
        yield f"attribute {attribute}", str(value)
    for section in elf.allocated:
        rights = "w" * section.writable + "x" * section.executable
        where = image.kind_at(section.address)
        yield f"section {section.name}", f"{where} {rights} aligned to {section.alignment}"
    yield from _vectors(image)
    yield from _tables(image)
    for code in thumb.overlapping(elf, elf.entry & ~1, elf.entry + 1):
        yield "code from reset on", " ".join(_code(image, Function("", code.start, code.end)))
    for name in START:
        for function in elf.functions:
            if name in elf.names[function.start]:
                yield f"code of {name}()", " ".join(_code(image, function))
    yield from _settings(image)


def _named(image: Image, address: int) -> str:
    return min(image.elf.names.get(address & ~1, {ABSENT}))


def _vectors(image: Image) -> Iterator[tuple[str, str]]:
    table = image.chip.vectors
    if table is None:
        return
    start = image.value(table.symbol) if table.symbol else table.address
    if start is None:
        return
    yield "alignment of the vectors", str(start & -start if start else 0)
    for index in range(1, table.count):
        yield f"vector {index}", _handler(image, image.elf.word(start + 4 * index) or 0)
    flash = next((one.start for one in image.chip.memories if one.kind == "flash"), None)
    if image.chip.boot == "boot2" and flash is not None:
        yield "second stage", (image.elf.read(flash, BOOT2_SIZE) or b"").hex()


def _handler(image: Image, pointer: int) -> str:
    is_default = image.elf.read(pointer & ~1, 2) == BREAKPOINT
    return "breakpoint" if is_default else _named(image, pointer)


def _tables(image: Image) -> Iterator[tuple[str, str]]:
    for table in image.chip.pointers:
        start, end = image.value(table.start), image.value(table.end)
        if start is not None and end is not None:
            names = [
                _named(image, image.elf.word(at) or 0) for at in range(start, end, table.stride)
            ]
            yield f"table {table.start}", " ".join(names)


def _code(image: Image, function: Function) -> Iterator[str]:
    """Yield each instruction: what it is where it names no address, else whose address it is."""
    for address, first, second in thumb.body(image.elf, function):
        target = thumb.direct(address, first, second)
        if target is not None and not function.start <= target < function.end:
            name = _named(image, target)
            if is_veneer(name):
                name = name.removeprefix("__").removesuffix("_veneer")
            yield f"call:{name}"
        elif second == thumb.NONE and first & 0xF800 == 0x4800:  # LDR of a constant
            yield f"{first & 0xFF00:04x}"
        else:
            yield f"{first:04x}" if second == thumb.NONE else f"{first:04x}{second:04x}"


def _settings(image: Image) -> Iterator[tuple[str, str]]:
    """Yield each option that CMake gives to a compiler for any file, or to the linker."""
    ninja = image.beside("build.ninja")
    if ninja is None:
        return
    text = ninja.read_text(errors="replace").replace(str(image.elf.path.parent), "BUILD")
    for match in VALUE.finditer(text):
        for setting in SETTING.finditer(match["rest"]):
            for option in setting["text"].split():
                yield f"{match['rule'].lower()} {setting['name']} {_short(option)}", "given"


def _short(option: str) -> str:
    return FILE_NAME.sub("", option) if "/" in option else option
