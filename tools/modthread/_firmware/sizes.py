"""The memory that a firmware occupies."""

import re
from dataclasses import astuple, dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

# The heap of MicroPython's garbage collector, and what the port takes from its end.
HEAP_START = "__GcHeapStart"
HEAP_END = "__GcHeapEnd"
HEAP_RESERVE = "__modthread_heap_reserve__"

# What the linker's map says of the frozen modules: a section, its address and its size.
FROZEN = re.compile(
    r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+\S*\bfrozen_content\.(?:c\.)?o(?:bj)?$",
    re.MULTILINE,
)
NOT_LOADED = (".debug", ".comment", ".ARM.attributes", ".riscv.attributes", ".xt.")
MAPS = ("firmware.map", "firmware.elf.map", "micropython.map")  # of ports/qemu, rp2 and esp32


@dataclass(frozen=True)
class Size:
    """Bytes of a firmware: constant (`text`), initialised (`data`) and cleared (`bss`)."""

    text: int
    data: int
    bss: int


def size(elf: Path) -> Size:
    """Return what the firmware `elf` occupies, counted as ``size`` does."""
    total = {"text": 0, "data": 0, "bss": 0}
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            flags = section["sh_flags"]
            if not flags & SH_FLAGS.SHF_ALLOC:
                continue
            writable = "data" if flags & SH_FLAGS.SHF_WRITE else "text"
            kind = "bss" if section["sh_type"] == "SHT_NOBITS" else writable
            total[kind] += section["sh_size"]
    return Size(**total)


def heap(elf: Path) -> int | None:
    """Return the bytes of the heap where the linker script of `elf` says them, else None."""
    with elf.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(section, SymbolTableSection)
        symbols = {
            name: found[0]["st_value"]
            for name in (HEAP_START, HEAP_END, HEAP_RESERVE)
            if (found := section.get_symbol_by_name(name))
        }
    if HEAP_START not in symbols or HEAP_END not in symbols:
        return None
    return int(symbols[HEAP_END] - symbols[HEAP_START] - symbols.get(HEAP_RESERVE, 0))


def frozen(elf: Path) -> int | None:
    """Return the bytes of the frozen modules as the map beside `elf` says, else None."""
    maps = [path for name in MAPS if (path := elf.with_name(name)).is_file()]
    if not maps:
        return None
    return sum(
        int(size, 16)
        for name, address, size in FROZEN.findall(maps[0].read_text())
        if int(address, 16) and not name.startswith(NOT_LOADED)
    )


def library(with_threads: Path, without: Path) -> int | None:
    """Return the bytes that lib/ takes of the flash: what one firmware has frozen beyond the other.

    None where a firmware has no map.
    """
    one, other = frozen(with_threads), frozen(without)
    return None if one is None or other is None else one - other


def table(title: str, with_threads: Path, without_label: str, without: Path) -> str:
    """Return what two firmwares occupy, and the difference."""
    columns = ["text", "data", "bss"]
    first, second = (list(astuple(size(elf))) for elf in (with_threads, without))
    heaps = heap(with_threads), heap(without)
    if heaps[0] is not None and heaps[1] is not None:
        columns.append("GC heap")
        first.append(heaps[0])
        second.append(heaps[1])
    cost = [one - other for one, other in zip(first, second, strict=True)]
    rows = [("with threads", first), (without_label, second), ("threads cost", cost)]
    lines = [f"{title:24}" + "".join(f"{column:>9}" for column in columns)]
    lines += [f"  {label:22}" + "".join(f"{value:9}" for value in row) for label, row in rows]
    if of_library := library(with_threads, without):
        lines.append(f"  {'lib/ has of these':22}{of_library:9}")
    return "\n".join(lines)
