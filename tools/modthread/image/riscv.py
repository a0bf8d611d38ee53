"""RISC-V code of 32 bits with compressed instructions: what it calls.

Encodings: The RISC-V Instruction Set Manual, volume I, "RV32I" and "C".
"""

from collections.abc import Iterator

from modthread.image.elf import Elf, Function


def calls(elf: Elf, function: Function) -> Iterator[int]:
    """Yield the addresses that the function calls, or goes on at."""
    data = elf.read(function.start, function.end - function.start) or b""
    upper: dict[int, int] = {}  # what AUIPC and LUI left in registers
    offset = 0
    while offset + 2 <= len(data):
        address = function.start + offset
        half = int.from_bytes(data[offset : offset + 2], "little")
        if half & 3 != 3:
            offset += 2
            if half & 0xE003 in (0x2001, 0xA001):  # C.JAL, C.J
                yield from _outside(function, address + _compressed_offset(half))
            continue
        word = int.from_bytes(data[offset : offset + 4], "little")
        offset += 4
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
