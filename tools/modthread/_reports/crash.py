"""The report of a crash on the serial line, in terms of the firmware's source."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modthread._reports import tracebacks

# As ports/cortex_m/fault.c prints it, and MicroPython's ports/esp32/panichandler.c above ESP-IDF's
# report (components/esp_system/panic.c). There, our own message may come first.
CRASH = re.compile(
    rb"^(?:\*\*\* [^\r\n]+(?:\s+A fatal error occurred\.)?|A fatal error occurred\.)", re.MULTILINE
)
NAME = re.compile(
    r"^(?:\*\*\*|Guru Meditation Error:|abort\(\) was|assert failed:) .+", re.MULTILINE
)
REGISTER = re.compile(r"\b([A-Za-z][\w/]*) *[=:] *(?:0x)?([0-9a-f]{8})\b")
STACK_LINE = re.compile(r"^[0-9a-f]{8}:((?: (?:0x)?[0-9a-f]{8})+) *$", re.MULTILINE)
BACKTRACE = re.compile(r"^Backtrace:(.+)$", re.MULTILINE)  # the innermost first, program:stack
PLACES = ("pc", "lr", "MEPC", "RA")  # registers that point into the program
CALL = 4  # bytes: no instruction that calls is longer


def split(output: bytes | bytearray) -> tuple[bytes, str]:
    """Return what `output` has before the firmware tells of a crash, and what it tells, if so."""
    *_, crash = [None, *CRASH.finditer(output)]
    start = crash.start() if crash else len(output)
    told = output[start:].decode(errors="replace").replace("\r\n", "\n")
    return bytes(output[:start]), told.partition("\nRebooting...")[0]


def _name(told: str) -> str:
    match = NAME.search(told)
    return match[0].rstrip() if match else told.splitlines()[0]


def message(output: bytes | bytearray) -> str | None:
    """Return the line in which the firmware names its crash, if `output` has one."""
    _, told = split(output)
    return f"the board crashed: {_name(told)}" if told else None


def decoded(output: bytes, elf: Path, version: str = "") -> str:
    """Return the crash in `output`, with places in the source of the firmware `elf`.

    The places are left out if that is not the firmware of this `version`.
    """
    _, told = split(output)
    values = BACKTRACE.sub("", told).splitlines()[1:]
    lines = [_name(told), *filter(REGISTER.search, values)]
    if elf.is_file() and version.encode() in elf.read_bytes():
        lines += [f"decoded with {tracebacks.shown(elf)}:", *_places(told, Firmware(elf))]
    else:
        lines.append(
            f"not decoded: {tracebacks.shown(elf)} is not what runs on the board {version}"
        )
    return "\n".join(map(str.rstrip, lines))


def _places(told: str, firmware: "Firmware") -> Iterator[str]:
    """Yield where registers, backtrace and stack of a crash point into the program, a line each."""
    registers = dict(REGISTER.findall(told))
    for register in PLACES:
        if register in registers:
            yield f"{register} {firmware.place(int(registers[register], 16) & ~1)}"
    if backtrace := BACKTRACE.search(told):
        yield "called by, the innermost first:"
        for address in re.findall(r"0x([0-9a-f]{8}):", backtrace[1]):
            yield f"   {firmware.place(int(address, 16))}"
    if stack := [int(word, 16) for line in STACK_LINE.findall(told) for word in line.split()]:
        yield "return addresses on the stack, the innermost first; some may be left over:"
        for word in filter(firmware.follows_a_call, stack):
            yield f"   {firmware.place(word - 1)}"


def is_call(machine: str, code: bytes) -> bool:
    """Return whether four bytes of a program end with an instruction that calls.

    `machine` is as the ELF file names it. Sources: Armv6-M and Armv7-M Architecture Reference
    Manuals, BL and BLX; The RISC-V Instruction Set Manual, JAL, JALR, C.JAL and C.JALR to ra.
    """
    whole, half = int.from_bytes(code, "little"), int.from_bytes(code[2:], "little")
    if machine == "EM_ARM":
        return whole & 0xD000F800 == 0xD000F000 or half & 0xFF87 == 0x4780
    if machine == "EM_RISCV":
        jumps = whole & 0xFFF == 0x0EF or whole & 0x7FFF == 0x00E7
        return jumps or half & 0xE003 == 0x2001 or (half & 0xF07F == 0x9002 and half != 0x9002)
    return False


@dataclass(frozen=True, order=True)
class _Function:
    start: int
    end: int
    name: str


class Firmware:
    """An ELF file with debugging information."""

    def __init__(self, path: Path) -> None:
        """Read the file's tables of functions and of compilation units."""
        from elftools.elf.elffile import ELFFile  # few runs see a crash

        self._elf = ELFFile(path.open("rb"))
        self._dwarf = self._elf.get_dwarf_info()
        self._units = self._dwarf.get_aranges()
        symbols: Any = self._elf.get_section_by_name(".symtab")
        self._functions = sorted(
            _Function(start, start + symbol["st_size"], symbol.name)
            for symbol in symbols.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC" and (start := symbol["st_value"] & ~1)
        )

    def place(self, address: int) -> str:
        """Return address, function, file and line of an instruction, as far as they are known."""
        function = self._function(address)
        name = function.name if function else "?"
        return f"{address:08x} {name} {self._file_and_line(address)}".rstrip()

    def follows_a_call(self, word: int) -> bool:
        """Return whether `word` can be the return address that a call has left."""
        machine = self._elf["e_machine"]
        if word & 1 != (machine == "EM_ARM"):  # there it keeps the processor in Thumb state
            return False
        address = word & ~1
        return bool(self._function(address)) and is_call(machine, self._code(address - CALL, CALL))

    def _function(self, address: int) -> _Function | None:
        index = bisect_right(self._functions, address, key=lambda function: function.start)
        function = self._functions[index - 1] if index else None
        return function if function and address < function.end else None

    def _code(self, address: int, size: int) -> bytes:
        for segment in self._elf.iter_segments("PT_LOAD"):
            offset = address - segment["p_vaddr"]
            if 0 <= offset <= segment["p_filesz"] - size:
                return bytes(segment.data()[offset : offset + size])
        return bytes(size)

    def _file_and_line(self, address: int) -> str:
        unit = self._units.cu_offset_at_addr(address) if self._units else None
        if unit is None:
            return ""
        compilation_unit = self._dwarf.get_CU_at(unit)
        program: Any = self._dwarf.line_program_for_CU(compilation_unit)
        # Functions that the linker has left out seem to be at 0: the last that fits is meant.
        found = max(
            (state for state, end in _ranges(program) if state.address <= address < end),
            key=lambda state: int(state.address),
            default=None,
        )
        if not found:
            return ""
        built_in = compilation_unit.get_top_DIE().attributes["DW_AT_comp_dir"].value.decode()
        return f"{_path(program.header, found.file, Path(built_in))}:{found.line}"


def _ranges(program: Any) -> Iterator[tuple[Any, int]]:
    """Yield every line of a line program with the address at which the next one starts."""
    before = None
    for entry in program.get_entries():
        if entry.state is None:
            continue
        if before is not None:
            yield before, entry.state.address
        before = None if entry.state.end_sequence else entry.state


def _path(header: Any, number: int, built_in: Path) -> str:
    """Return the path of a line program's file as it is shown."""
    base = 0 if header.version >= 5 else 1  # index 0 of the directories was `built_in` before
    entry = header.file_entry[number - base]
    directories = header.include_directory if base == 0 else [b"", *header.include_directory]
    directory = directories[entry.dir_index].decode()
    return tracebacks.shown(built_in / directory / entry.name.decode())
