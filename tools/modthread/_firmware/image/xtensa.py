"""Xtensa code with windowed registers: what it calls.

Encodings: Xtensa Instruction Set Architecture Reference Manual, "Instruction Formats and Opcodes".
"""

from bisect import bisect_left
from collections.abc import Iterator

from modthread._firmware.image.elf import Elf, Function

LONG = 8  # the lowest four bits from which on an instruction has not three bytes
LENGTHS = {14: 4, 15: 8}  # of the ESP32-S3's own instructions; the other ones from LONG on have two


def calls(elf: Elf, function: Function) -> Iterator[int]:
    """Yield the addresses that the function calls, or goes on at."""
    literals: dict[int, int] = {}  # what L32R left in registers
    for address, word in _instructions(elf, function):
        kind = word & 0xF
        if kind == 5:  # CALL0 to CALL12
            yield from _outside(function, (address & ~3) + (_signed(word >> 6, 18) << 2) + 4)
            literals.clear()
        elif kind == 6 and not word & 0x30:  # J
            yield from _outside(function, address + _signed(word >> 6, 18) + 4)
        elif kind == 1:  # L32R
            value = elf.word((address + 3 & ~3) + ((word >> 8) - 0x10000 << 2))
            literals.pop(word >> 4 & 0xF, None)
            if value is not None:
                literals[word >> 4 & 0xF] = value
        elif word & 0xFFF0CF == 0x0000C0 or word & 0xFFF0FF == 0x0000A0:  # CALLX0 to 12, JX
            register = word >> 8 & 0xF
            if target := literals.get(register):  # 0: of a weak function that nobody has
                yield target
            literals.clear()
        else:  # whichever it writes
            for place in (4, 8, 12):
                literals.pop(word >> place & 0xF, None)


def _instructions(elf: Elf, function: Function) -> Iterator[tuple[int, int]]:
    """Yield the address and the bits of each instruction.

    Between them may be bytes that nobody executes, as what follows a jump is aligned: the linker
    leaves a table of where instructions are.
    """
    for start, end in _ranges(elf, function):
        data = elf.read(start, end - start) or b""
        offset = 0
        while offset < len(data):
            kind = data[offset] & 0xF
            size = 3 if kind < LONG else LENGTHS.get(kind, 2)
            yield start + offset, int.from_bytes(data[offset : offset + size], "little")
            offset += size


def _ranges(elf: Elf, function: Function) -> list[tuple[int, int]]:
    """Return where the function has instructions; all of it where no table says so."""
    known = elf.instruction_ranges
    first = max(0, bisect_left(known, (function.start, 0)) - 1)
    last = bisect_left(known, (function.end, 0))
    return [
        (max(start, function.start), min(end, function.end))
        for start, end in known[first:last]
        if end > function.start
    ] or [(function.start, function.end)]


def _outside(function: Function, target: int) -> Iterator[int]:
    if not function.start <= target < function.end:
        yield target


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value
