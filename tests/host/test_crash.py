"""Crashes on an ESP32 are told: recorded reports, and programs built here to decode them."""

import re
import subprocess
from pathlib import Path

import pytest

from modthread._reports import crash

HEADING = (
    "A fatal error occurred. The crash dump printed below may be used to help\r\n"
    "determine what caused it.\r\n\r\nMachine     : ESP32C3 module with ESP32C3\r\n\r\n"
)
RISCV = (
    "printed before\r\n\r\n" + HEADING + "Guru Meditation Error: Core  0 panic'ed"
    " (Store access fault). Exception was unhandled.\r\n\r\nCore  0 register dump:\r\n"
    "MEPC    : 0x4205f0b6  RA      : 0x4205f092  SP      : 0x3fc9ba70  GP      : 0x3fc92200  \r\n"
    "MHARTID : 0x00000000  \r\n\r\nStack memory:\r\n"
    "3fc9ba70: 0x3fc9bb60 0x3fc9bb40 0x00000000 0x42022b68\r\n\r\n"
    "ELF file SHA256: 871cf4615\r\n\r\nRebooting...\r\nload:0x3fff0030,len:4096\r\n"
)
XTENSA = (
    "\r\n" + HEADING + "Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was"
    " unhandled.\r\n\r\nCore  1 register dump:\r\n"
    "PC      : 0x4012730f  PS      : 0x00060033  A0      : 0x40086310  A1      : 0x3ffb1590  \r\n"
    "\r\n\r\nBacktrace: {} 0x4000bfed:0x3ffb67d0\r\n\r\nRebooting...\r\n"
)
OVERFLOW = "*** stack overflow in thread 3\r\n\r\n" + HEADING + "abort() was called at PC 0x40\r\n"
PROGRAM = """
int inner(int n) { return n + 1; }
int outer(int n) { return inner(n) * 2; }
void _start(void) { outer(1); }
"""


@pytest.fixture
def elf(tmp_path: Path) -> Path:
    source, elf = tmp_path / "main.c", tmp_path / "main.elf"
    source.write_text(PROGRAM)
    options = ["-g", "-O0", "-nostdlib", "-mthumb", "-mcpu=cortex-m3"]
    subprocess.run(["arm-none-eabi-gcc", *options, source, "-o", elf], check=True)
    return elf


def address_of(name: str, elf: Path) -> int:
    symbols = subprocess.run(["arm-none-eabi-nm", elf], capture_output=True, text=True, check=True)
    match = re.search(rf"^(\w+) T {name}$", symbols.stdout, re.MULTILINE)
    assert match
    return int(match[1], 16) & ~1


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (RISCV, "Guru Meditation Error: Core  0 panic'ed (Store access fault)."),
        (XTENSA, "Guru Meditation Error: Core  1 panic'ed (LoadProhibited)."),
        (
            HEADING + "abort() was called at PC 0x4038a on core 0\r\n",
            "abort() was called at PC 0x4",
        ),
        (OVERFLOW, "*** stack overflow in thread 3"),
    ],
)
def test_the_message_names_it(output: str, name: str) -> None:
    message = crash.message(output.encode())
    assert message
    assert message.startswith(f"the board crashed: {name}")


def test_what_was_printed_before_is_apart() -> None:
    before, told = crash.split(RISCV.encode())
    assert before == b"printed before\r\n\r\n"
    assert "MEPC" in told
    assert "load:" not in told, "what the board says when it starts again"


def test_without_the_program_there_are_the_registers(tmp_path: Path) -> None:
    lines = crash.decoded(RISCV.encode(), tmp_path / "none.elf", "1").splitlines()
    assert lines[0].endswith("Exception was unhandled.")
    assert lines[1].startswith("MEPC    : 0x4205f0b6  RA")
    assert lines[2] == "MHARTID : 0x00000000"
    assert lines[3].startswith("not decoded: ")
    assert len(lines) == 4


def test_a_backtrace_gets_functions_and_lines(elf: Path) -> None:
    inner, outer = (address_of(name, elf) for name in ("inner", "outer"))
    output = XTENSA.format(f"0x{inner:08x}:0x3ffb1590 0x{outer:08x}:0x3ffb15c0")
    _, registers, _, _, first, second, rom = crash.decoded(output.encode(), elf).splitlines()
    assert registers.startswith("PC      : 0x4012730f")
    assert re.fullmatch(r" +\w{8} inner \S*main\.c:2", first)
    assert re.fullmatch(r" +\w{8} outer \S*main\.c:3", second)
    assert rom == "   4000bfed ?"


@pytest.mark.parametrize(
    ("machine", "code", "calls"),
    [
        ("EM_RISCV", "ef00c001", True),  # jal ra
        ("EM_RISCV", "e7000300", True),  # jalr ra, 0(t1)
        ("EM_RISCV", "01008297", True),  # c.jalr a5
        ("EM_RISCV", "01000520", True),  # c.jal
        ("EM_RISCV", "67800000", False),  # ret
        ("EM_RISCV", "01008280", False),  # c.jr ra
        ("EM_RISCV", "01000290", False),  # c.ebreak
        ("EM_RISCV", "6f00c001", False),  # j
        ("EM_ARM", "00f000f8", True),  # bl
        ("EM_ARM", "00bf9847", True),  # blx r3
        ("EM_ARM", "00bf7047", False),  # bx lr
        ("EM_XTENSA", "00000000", False),
    ],
)
def test_calls_are_known_by_their_codes(machine: str, code: str, calls: bool) -> None:
    assert crash.is_call(machine, bytes.fromhex(code)) == calls
