"""What an ELF file says of itself: sections, segments, symbols and attributes."""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from modthread.errors import ModthreadError

SYMBOL = struct.Struct("<IIIBBH")  # name, value, size, type, visibility, section
# Xtensa's table of properties: address, size, flags (include/elf/xtensa.h of GNU binutils).
PROPERTY = struct.Struct("<III")
INSTRUCTIONS = 2
ATTRIBUTES_OF = {"EM_ARM": ".ARM.attributes", "EM_RISCV": ".riscv.attributes"}
HEADER = struct.Struct("<32xI10xHH")  # where the sections' headers are, their size, how many
ATTRIBUTES = 0x7000_0003  # the kind of Arm's section
NO_TYPE, OBJECT, FUNCTION, FILE = 0, 1, 2, 4
MAPPING = ("$a", "$t", "$d")  # Arm's ABI for the Arm architecture, "Mapping symbols"


@dataclass(frozen=True)
class Section:
    """A section; `data` is empty where the file has nothing for it."""

    name: str
    address: int
    size: int
    alignment: int
    allocated: bool
    writable: bool
    executable: bool
    data: bytes

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True)
class Segment:
    """What is loaded: `data` comes from address `load`, and is at `address` while it is used."""

    address: int
    load: int
    size: int
    data: bytes


@dataclass(frozen=True)
class Symbol:
    """`value` as the ELF file has it: of a function in Thumb code it is odd.

    `file` is the source of a static one, empty for others.
    """

    name: str
    value: int
    size: int
    kind: int
    file: str


@dataclass(frozen=True)
class Function:
    """Code from address `start` to `end`, which is the next one's where its size is unknown."""

    name: str
    start: int
    end: int


class Elf:
    """An ELF file of 32 bits, little-endian, read once."""

    def __init__(self, path: Path) -> None:
        """Read `path`; raises ModthreadError where it is no such file."""
        self.path = path
        try:
            with path.open("rb") as stream:
                self._read(ELFFile(stream))
        except (OSError, ELFError, struct.error) as error:
            reason = error.strerror if isinstance(error, OSError) else "is no ELF file"
            raise ModthreadError(f"{path}: {reason}; name the firmware's .elf") from None

    def _read(self, file: ELFFile) -> None:
        if file.elfclass != 32 or not file.little_endian:
            raise ELFError("not of 32 bits, little-endian")
        self.machine = str(file["e_machine"])
        self.entry = int(file["e_entry"])
        self.sections = [_section(one) for one in file.iter_sections()]
        self.segments = [
            Segment(one["p_vaddr"], one["p_paddr"], one["p_memsz"], one.data())
            for one in file.iter_segments("PT_LOAD")
            if one["p_memsz"]
        ]
        section = file.get_section_by_name(ATTRIBUTES_OF.get(self.machine, "-"))
        self.attributes = _attributes(section)
        self._properties = [
            entry
            for one in file.iter_sections()
            if one.name.startswith(".xt.prop")
            for entry in PROPERTY.iter_unpack(one.data()[: one.data_size // 12 * 12])
        ]
        table = file.get_section_by_name(".symtab")
        names = file.get_section(table["sh_link"]).data() if table else b""
        self.symbols = list(_symbols(table.data(), names)) if table else []

    @cached_property
    def allocated(self) -> list[Section]:
        """The sections that take up memory while the firmware runs."""
        return [one for one in self.sections if one.allocated and one.size]

    @cached_property
    def instruction_ranges(self) -> list[tuple[int, int]]:
        """Where Xtensa code has instructions and no padding; empty where no table says so."""
        return sorted(
            (start, start + size)
            for start, size, flags in self._properties
            if size and flags & INSTRUCTIONS
        )

    @cached_property
    def by_name(self) -> dict[str, Symbol]:
        """The symbols; of several local ones with the same name, one."""
        return {one.name: one for one in self.symbols if one.name not in MAPPING}

    @cached_property
    def functions(self) -> list[Function]:
        """All functions by address; of several names for one place, one."""
        found = {one.value & ~1: one for one in self.symbols if one.kind == FUNCTION}
        labels = {one.value & ~1 for one in self.symbols if one.name[:2] not in MAPPING}
        starts = sorted(found)
        ends = sorted(labels | {one.end for one in self.sections if one.executable})
        return [
            Function(found[start].name, start, start + found[start].size)
            if found[start].size
            else Function(found[start].name, start, _next(ends, start))
            for start in starts
        ]

    @cached_property
    def _function_starts(self) -> list[int]:
        return [one.start for one in self.functions]

    def function_at(self, address: int) -> Function | None:
        """Return the function whose code `address` is in."""
        index = bisect_right(self._function_starts, address & ~1) - 1
        if index < 0 or (address & ~1) >= self.functions[index].end:
            return None
        return self.functions[index]

    @cached_property
    def names(self) -> dict[int, set[str]]:
        """All names of each function, by its address."""
        found: dict[int, set[str]] = {}
        for one in self.symbols:
            if one.kind == FUNCTION:
                found.setdefault(one.value & ~1, set()).add(one.name)
        return found

    def section_at(self, address: int) -> Section | None:
        """Return the section that `address` is in."""
        for one in self.allocated:
            if one.address <= address < one.end:
                return one
        return None

    def read(self, address: int, size: int) -> bytes | None:
        """Return what the file has for an address at run time; None where it has less."""
        for one in self.segments:
            offset = address - one.address
            if offset >= 0 and offset + size <= len(one.data):
                return one.data[offset : offset + size]
        return None

    def word(self, address: int) -> int | None:
        """Return the word that the file has for an address at run time."""
        data = self.read(address, 4)
        return int.from_bytes(data, "little") if data else None

    def name_of(self, address: int) -> str:
        """Return what is at `address`, for messages."""
        function = self.function_at(address)
        return f"{address:#x}, {function.name}()" if function else f"{address:#x}"


def _section(section: Any) -> Section:
    flags = section["sh_flags"]
    has_data = section["sh_type"] not in ("SHT_NOBITS", "SHT_NULL") and flags & SH_FLAGS.SHF_ALLOC
    return Section(
        name=section.name,
        address=section["sh_addr"],
        size=section["sh_size"],
        alignment=section["sh_addralign"],
        allocated=bool(flags & SH_FLAGS.SHF_ALLOC),
        writable=bool(flags & SH_FLAGS.SHF_WRITE),
        executable=bool(flags & SH_FLAGS.SHF_EXECINSTR),
        data=section.data() if has_data else b"",
    )


def _symbols(table: bytes, names: bytes) -> Iterator[Symbol]:
    file = ""
    for name, value, size, info, _, section in SYMBOL.iter_unpack(table):
        text = names[name : names.index(0, name)].decode(errors="replace")
        kind, is_global = info & 0xF, info >> 4
        if kind == FILE:
            file = text
        elif name and (section or value):
            yield Symbol(text, value, size, kind, "" if is_global else file)


Attributes = dict[str, int | str]


def attributes(path: Path, known: dict[bytes, Attributes]) -> Attributes:
    """Return the build attributes of an object file, without reading the rest of it.

    `known` are those that other files have had: most are alike, and to decode them takes long.
    """
    with path.open("rb") as stream:
        header = stream.read(HEADER.size)
        if header[:4] != b"\x7fELF":
            return {}
        offset, size, count = HEADER.unpack(header)
        stream.seek(offset)
        table = stream.read(size * count)
        for index in range(count):
            _, kind, _, _, where, length = struct.unpack_from("<6I", table, size * index)
            if kind == ATTRIBUTES:
                stream.seek(where)
                raw = stream.read(length)
                if raw not in known:
                    known[raw] = _attributes(ELFFile(stream).get_section(index))
                return known[raw]
    return {}


def _attributes(section: Any) -> Attributes:
    """Return the build attributes of the whole file, without their prefix ``TAG_``."""
    if section is None:
        return {}
    return {
        attribute.tag.removeprefix("TAG_"): attribute.value
        for part in section.iter_subsections()
        for whole in part.iter_subsubsections()
        for attribute in whole.iter_attributes()
        if attribute.tag != "TAG_FILE"
    }


def _next(addresses: list[int], address: int) -> int:
    index = bisect_right(addresses, address)
    return addresses[index] if index < len(addresses) else address
