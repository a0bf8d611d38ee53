"""Arm's Thumb code: what it calls, and which instructions a processor has not.

Encodings: Arm DDI 0419 (Armv6-M Architecture Reference Manual), A5; DDI 0403 (Armv7-M), A5; DDI
0553 (Armv8-M), C2.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from modthread._firmware.image.elf import Elf, Function, Section

WIDE = 0xE800  # the first half-word of an instruction of two has at least this value
NONE = -1  # the second half-word of an instruction of one
IP, LR, PC = 12, 14, 15
CALLER_SAVED = (0, 1, 2, 3, IP)


@dataclass(frozen=True)
class Encoding:
    """Instructions with `value` in the bits of `mask`; likewise in their second half-word."""

    name: str
    mask: int
    value: int
    second_mask: int = 0
    second_value: int = 0

    def matches(self, first: int, second: int) -> bool:
        if first & self.mask != self.value:
            return False
        return not self.second_mask or second & self.second_mask == self.second_value


COMPARE_AND_BRANCH = Encoding("CBZ", 0xF500, 0xB100)
IF_THEN = Encoding("IT", 0xFF00, 0xBF00)  # less the hints
BRANCH_TO_ARM = Encoding("BLX to Arm code", 0xF800, 0xF000, 0xD001, 0xC000)
COPROCESSOR = (
    Encoding("coprocessor instruction", 0xFC00, 0xEC00),
    Encoding("coprocessor instruction", 0xFC00, 0xFC00),
)
DSP = (
    Encoding("PKH", 0xFFF0, 0xEAC0),
    Encoding("SSAT16", 0xFFF0, 0xF320, 0xF0F0, 0x0000),
    Encoding("USAT16", 0xFFF0, 0xF3A0, 0xF0F0, 0x0000),
    Encoding("SXTB16", 0xFFE0, 0xFA20, 0xF080, 0xF080),
    Encoding("parallel addition", 0xFF80, 0xFA80, 0xF080, 0xF000),
    Encoding("QADD", 0xFFF0, 0xFA80, 0xF080, 0xF080),
    Encoding("SEL", 0xFFF0, 0xFAA0, 0xF0F0, 0xF080),
    Encoding("SMLA", 0xFFF0, 0xFB10),
    Encoding("SMLAD", 0xFFE0, 0xFB20),
    Encoding("SMLAD", 0xFFC0, 0xFB40),
    Encoding("SMLAD", 0xFFE0, 0xFB60),  # SMMLS and USAD8 included: the M3 has none of them
    Encoding("SMLAL of half-words", 0xFFF0, 0xFBC0, 0x00C0, 0x0080),
    Encoding("SMLSLD", 0xFFF0, 0xFBD0),
    Encoding("UMAAL", 0xFFF0, 0xFBE0, 0x00F0, 0x0060),
)
ACQUIRE_RELEASE = Encoding("LDA or STL", 0xFFE0, 0xE8C0, 0x0080, 0x0080)
SECURITY = (
    Encoding("BXNS", 0xFF07, 0x4704),
    Encoding("SG", 0xFFFF, 0xE97F, 0xFFFF, 0xE97F),
)
# Arithmetic of doubles: the M33's unit for single precision can only move and load them.
DOUBLE = Encoding("double-precision instruction", 0xEF00, 0xEE00, 0x0F10, 0x0B00)


# Which register an instruction writes: the one in bits 8 to 10, or in bits 0 to 2.
WRITES_HIGH = (
    Encoding("MOVS of a number", 0xF800, 0x2000),
    Encoding("ADDS or SUBS of a number", 0xF000, 0x3000),
    Encoding("LDR from the stack", 0xF800, 0x9800),
    Encoding("ADR, ADD to the stack pointer", 0xF000, 0xA000),
)
WRITES_LOW = (
    Encoding("shift, ADDS, SUBS", 0xE000, 0x0000),
    Encoding("logic", 0xFC00, 0x4000),
    Encoding("LDR, LDRB", 0xE800, 0x6800),
    Encoding("LDRH", 0xF800, 0x8800),
    Encoding("LDRSB and more, by a register", 0xF600, 0x5600),
    Encoding("LDR, LDRH and more, by a register", 0xF800, 0x5800),
    Encoding("extension", 0xFF00, 0xB200),
    Encoding("REV", 0xFF00, 0xBA00),
)


@dataclass(frozen=True)
class Architecture:
    """What a processor runs.

    Of two half-words only `wide`, where that is not empty; and never what is in `refused`.
    `coprocessors` are the numbers of those that are there.
    """

    name: str
    refused: tuple[Encoding, ...]
    wide: tuple[Encoding, ...] = ()
    coprocessors: frozenset[int] = frozenset()


ARMV6M = Architecture(
    name="Armv6-M",
    refused=(COMPARE_AND_BRANCH, IF_THEN, *SECURITY),
    wide=(
        Encoding("BL", 0xF800, 0xF000, 0xD000, 0xD000),
        Encoding("MSR", 0xFFF0, 0xF380, 0xFF00, 0x8800),
        Encoding("MRS", 0xFFFF, 0xF3EF, 0xF000, 0x8000),
        Encoding("DSB, DMB or ISB", 0xFFFF, 0xF3BF, 0xFF00, 0x8F00),
        Encoding("UDF", 0xFFF0, 0xF7F0, 0xF000, 0xA000),
    ),
)
ARMV7M = Architecture("Armv7-M", (BRANCH_TO_ARM, *DSP, ACQUIRE_RELEASE, *SECURITY))
# The RP2350's coprocessors: GPIO, double precision, redundancy, and the floating-point unit.
RP2350_M33 = Architecture(
    "Armv8-M Mainline", (BRANCH_TO_ARM, DOUBLE), coprocessors=frozenset({0, 4, 5, 7, 10, 11})
)


def is_hint(first: int) -> bool:
    """Return whether it is NOP, WFI or the like, which have an IT's code with an empty mask."""
    return first & 0xFF0F == 0xBF00


@dataclass(frozen=True)
class Range:
    """Memory with one kind of content: ``$t`` is Thumb code, ``$a`` Arm code, ``$d`` data."""

    kind: str
    section: Section
    start: int
    end: int

    @property
    def data(self) -> bytes:
        return self.section.data[
            self.start - self.section.address : self.end - self.section.address
        ]


@cache
def ranges(elf: Elf) -> list[Range]:
    """Return what the mapping symbols say of the file's code."""
    found = []
    marks = sorted({(one.value, one.name[:2]) for one in elf.symbols if _is_mapping(one.name)})
    for section in elf.allocated:
        within = [mark for mark in marks if section.address <= mark[0] < section.end]
        for (start, kind), (end, _) in pairwise([*within, (section.end, "")]):
            if start < end:
                found.append(Range(kind, section, start, end))
    return sorted(found, key=lambda one: one.start)


def _is_mapping(name: str) -> bool:
    return name[:2] in ("$a", "$t", "$d") and (len(name) == 2 or name[2] == ".")


Instruction = tuple[int, int, int]  # address, first and second half-word


def instructions(data: bytes, start: int) -> Iterator[Instruction]:
    """Decode the lengths of what begins at address `start`."""
    halves = memoryview(data[: len(data) & ~1]).cast("H")
    index, count = 0, len(halves)
    while index < count:
        first = halves[index]
        if first >= WIDE and index + 1 < count:
            yield start + 2 * index, first, halves[index + 1]
            index += 2
        else:
            yield start + 2 * index, first, NONE
            index += 1


def refused(elf: Elf, architecture: Architecture) -> Iterator[tuple[int, str]]:
    """Yield the address and the name of each instruction that the processor has not."""
    known: dict[tuple[int, int], str] = {}
    for code in ranges(elf):
        if code.kind != "$t":
            continue
        for address, first, second in instructions(code.data, code.start):
            name = known.get((first, second))
            if name is None:
                name = known[first, second] = _refusal(first, second, architecture)
            if name:
                yield address, name


def _refusal(first: int, second: int, architecture: Architecture) -> str:
    if second == NONE:
        if (first < 0xB000 and first & 0xFF00 != 0x4700) or is_hint(first):
            return ""  # most of all code
        narrow = (one for one in architecture.refused if not one.second_mask and one.mask)
        return next((one.name for one in narrow if one.matches(first, second)), "")
    if architecture.wide:
        allowed = any(one.matches(first, second) for one in architecture.wide)
        return "" if allowed else f"{first:04x} {second:04x}"
    if any(one.matches(first, second) for one in COPROCESSOR):
        number = second >> 8 & 0xF
        if number not in architecture.coprocessors:
            return f"an instruction of coprocessor {number}"
    return next((one.name for one in architecture.refused if one.matches(first, second)), "")


def calls(elf: Elf, function: Function) -> Iterator[int]:
    """Yield the addresses that the function calls, or goes on at.

    What it calls through a pointer is known where it loads that as a constant.
    """
    return (target & ~1 for target, _ in branches(elf, function))


def branches(elf: Elf, function: Function) -> Iterator[tuple[int, bool]]:
    """Yield where the function branches to, and whether it does so by a pointer.

    A pointer is as the register has it: the lowest bit says Thumb.
    """
    known: dict[int, int] = {}  # what registers hold
    for address, first, second in body(elf, function):
        target = direct(address, first, second)
        if target is not None:
            if not function.start <= target < function.end:
                yield target, False
            if _is_call(first, second):
                _forget(known, *CALLER_SAVED)
        elif first & 0xFF07 == 0x4700 and second == NONE:  # BX, BLX
            register = first >> 3 & 0xF
            if register in known:
                yield known[register], True
            _forget(known, *CALLER_SAVED)
        else:
            _follow(elf, address, first, second, known)
            if PC in known:
                yield known.pop(PC), True


def body(elf: Elf, function: Function) -> Iterator[Instruction]:
    """Yield the function's instructions, without its constants."""
    for code in overlapping(elf, function.start, function.end):
        start, end = max(code.start, function.start), min(code.end, function.end)
        if code.kind == "$t":
            yield from instructions(code.data[start - code.start : end - code.start], start)


def overlapping(elf: Elf, start: int, end: int) -> list[Range]:
    first = bisect_right(_ends(elf), start)
    return [one for one in ranges(elf)[first : first + end - start] if one.start < end]


@cache
def _ends(elf: Elf) -> list[int]:
    return [one.end for one in ranges(elf)]


def _literal(address: int, offset: int) -> int:
    return (address + 4 & ~3) + offset


def _is_call(first: int, second: int) -> bool:
    return second != NONE and second & 0xD000 == 0xD000


def direct(address: int, first: int, second: int) -> int | None:
    """Return where a branch goes."""
    if second == NONE:
        if first & 0xF000 == 0xD000 and first & 0x0F00 < 0x0E00:
            return address + 4 + _signed(first & 0xFF, 8) * 2
        if first & 0xF800 == 0xE000:
            return address + 4 + _signed(first & 0x7FF, 11) * 2
        return None
    if first & 0xF800 != 0xF000 or not second & 0x8000:
        return None
    sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    if second & 0x1000:  # BL, B.W
        i1, i2 = 1 - (j1 ^ sign), 1 - (j2 ^ sign)
        number = sign << 23 | i1 << 22 | i2 << 21 | (first & 0x3FF) << 11 | second & 0x7FF
        return address + 4 + _signed(number, 24) * 2
    if not second & 0x4000 and first & 0x0380 != 0x0380:  # conditional
        number = sign << 19 | j2 << 18 | j1 << 17 | (first & 0x3F) << 11 | second & 0x7FF
        return address + 4 + _signed(number, 20) * 2
    return None


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _follow(elf: Elf, address: int, first: int, second: int, known: dict[int, int]) -> None:
    """Keep up with the constants that registers hold."""
    if second == NONE:
        if first & 0xF800 == 0x4800:  # LDR of a literal
            _set(known, first >> 8 & 7, elf.word(_literal(address, (first & 0xFF) * 4)))
        elif first & 0xFF00 == 0x4600:  # MOV
            _set(known, first & 7 | first >> 4 & 8, known.get(first >> 3 & 0xF))
        elif first & 0xFE00 == 0xBC00:  # POP
            _forget(known, *(register for register in range(8) if first >> register & 1))
        elif any(one.matches(first, second) for one in WRITES_HIGH):
            _forget(known, first >> 8 & 7)
        elif any(one.matches(first, second) for one in WRITES_LOW):
            _forget(known, first & 7)
    elif first & 0xFF7F == 0xF85F:  # LDR of a literal
        offset = second & 0xFFF if first & 0x80 else -(second & 0xFFF)
        _set(known, second >> 12, elf.word(_literal(address, offset)))
    elif first & 0xFB70 == 0xF240 and not second & 0x8000:  # MOVW, MOVT
        number = (first & 0xF) << 12 | (first & 0x400) << 1 | second >> 4 & 0x700 | second & 0xFF
        register = second >> 8 & 0xF
        if not first & 0x80:
            known[register] = number
        elif register in known:
            known[register] = known[register] & 0xFFFF | number << 16
    else:
        _forget(known, second >> 8 & 0xF, second >> 12)


def _forget(known: dict[int, int], *registers: int) -> None:
    for register in registers:
        known.pop(register, None)


def _set(known: dict[int, int], register: int, value: int | None) -> None:
    if value is None:
        known.pop(register, None)
    else:
        known[register] = value
