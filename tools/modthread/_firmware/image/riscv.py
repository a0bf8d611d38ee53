"""RISC-V code of 32 bits with compressed instructions: what it calls, and what it needs.

Encodings: The RISC-V Instruction Set Manual, volume I, "RV32I", "A", "F" and "C".
"""

from collections.abc import Iterator

from modthread._firmware.image.elf import Elf, Function

# The extension that an instruction is of: by its lowest seven bits; by bits 13 to 15 and 0, 1 of a
# compressed one, which loads or stores.
ATOMIC, SINGLE, DOUBLE = "a", "f", "d"
EXTENSION = dict.fromkeys((0x07, 0x27, 0x43, 0x47, 0x4B, 0x4F, 0x53), SINGLE) | {0x2F: ATOMIC}
COMPRESSED_EXTENSION = dict.fromkeys((0x2000, 0xA000, 0x2002, 0xA002), DOUBLE)
COMPRESSED_EXTENSION |= dict.fromkeys((0x6000, 0xE000, 0x6002, 0xE002), SINGLE)


def extensions(elf: Elf) -> Iterator[tuple[int, str]]:
    """Yield each instruction's address and extension that is of one of these: A, F or D."""
    for function in elf.functions:
        for address, instruction in _instructions(elf, function):
            if instruction & 3 == 3:
                extension = EXTENSION.get(instruction & 0x7F)
            else:
                extension = COMPRESSED_EXTENSION.get(instruction & 0xE003)
            if extension:
                yield address, extension


def _instructions(elf: Elf, function: Function) -> Iterator[tuple[int, int]]:
    """Yield the address and the 16 or 32 bits of each instruction."""
    data = elf.read(function.start, function.end - function.start) or b""
    offset = 0
    while offset + 2 <= len(data):
        size = 4 if data[offset] & 3 == 3 else 2
        yield function.start + offset, int.from_bytes(data[offset : offset + size], "little")
        offset += size


def calls(elf: Elf, function: Function) -> Iterator[int]:
    """Yield the addresses that the function calls, or goes on at."""
    upper: dict[int, int] = {}  # what AUIPC and LUI left in registers
    for address, word in _instructions(elf, function):
        if word & 3 != 3:
            if word & 0xE003 in (0x2001, 0xA001):  # C.JAL, C.J
                yield from _outside(function, address + _compressed_offset(word))
            continue
        register = word >> 7 & 31
        if word & 0x7F == 0x6F:  # JAL
            yield from _outside(function, address + _jump_offset(word))
        elif word & 0x7F == 0x17:  # AUIPC
            upper[register] = address + (word & 0xFFFFF000) & 0xFFFFFFFF
        elif word & 0x7F == 0x37:  # LUI
            upper[register] = word & 0xFFFFF000
        elif word & 0x707F == 0x67 and (word >> 15 & 31) in upper:  # JALR
            target = upper[word >> 15 & 31] + _signed(word >> 20, 12) & 0xFFFFFFFF
            yield from _outside(function, target)
        elif register in upper:
            del upper[register]


def _outside(function: Function, target: int) -> Iterator[int]:
    if not function.start <= target < function.end:
        yield target


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> bits - 1 else value


def _jump_offset(word: int) -> int:
    number = (
        (word >> 31) << 20
        | (word >> 12 & 0xFF) << 12
        | (word >> 20 & 1) << 11
        | (word >> 21 & 0x3FF) << 1
    )
    return _signed(number, 21)


def _compressed_offset(half: int) -> int:
    number = (
        (half >> 12 & 1) << 11
        | (half >> 11 & 1) << 4
        | (half >> 9 & 3) << 8
        | (half >> 8 & 1) << 10
        | (half >> 7 & 1) << 6
        | (half >> 6 & 1) << 7
        | (half >> 3 & 7) << 1
        | (half >> 2 & 1) << 5
    )
    return _signed(number, 12)
