"""The memory that a firmware occupies."""

from dataclasses import astuple, dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

# The heap of MicroPython's garbage collector, and what the port takes from its end.
HEAP_START = "__GcHeapStart"
HEAP_END = "__GcHeapEnd"
HEAP_RESERVE = "__modthread_heap_reserve__"


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
    return "\n".join(lines)
