"""Images for the ESP32 family, made of bytes: neither ESP-IDF nor its compilers are needed."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from modthread._base import project
from modthread._firmware import image
from modthread._firmware.image.chips import CHIPS, ESP_FLASH_OFF

pytestmark = pytest.mark.lane("check")

RISCV, XTENSA = 243, 94  # the ELF header's number of the machine


class Parts:
    """An ELF file with a function in IRAM, one in flash, constants, and an esptool image of it."""

    def __init__(self, folder: Path, chip: str) -> None:
        self.folder = folder
        self.chip = CHIPS[chip]
        self.machine = RISCV if chip == "ESP32C3" else XTENSA
        self.iram = 0x4038_0000 if chip == "ESP32C3" else 0x4008_0400
        self.flash = 0x4200_0020 if chip == "ESP32C3" else 0x400D_0020
        self.constants = 0x3C00_0020 if chip == "ESP32C3" else 0x3F40_0020
        self.elf = folder / "micropython.elf"

    def build(
        self,
        ram_code: bytes,
        names: str = "mp_thread_notify alarm_handler tick mp_thread_tick",
        other: str = "",
    ) -> None:
        """Link a file whose functions `names`, at one place in IRAM, have this code.

        The cross-compiler is Arm's; the header says afterwards which machine it is for.
        """
        # What a RISC-V's says where ESP-IDF has linked it: more than its code needs.
        architecture = "rv32i2p1_m2p0_a2p1_f2p2_d2p2_c2p0_zicsr2p0_zifencei2p0"
        labels = "\n".join(
            f".global {name}\n.type {name}, %function\n{name}:" for name in names.split()
        )
        listed = ", ".join(map(str, ram_code))
        sizes = "\n".join(f".size {name}, . - {name}" for name in names.split())
        source = f"""
            .section .iram0.text, "ax"
            .word 0x{self.flash:x}, 0, 0, 0
            {labels}
            .byte {listed}
            {sizes}
            .section .flash.text, "ax"
            .global in_flash
            .type in_flash, %function
            in_flash: .byte 0, 0, 0, 0
            .size in_flash, 4
            .global call_start_cpu0
            .section .flash.rodata, "aw"
            .word 0xabcd5432
            .space 512
            .section .riscv.attributes, "", %0x70000003
            .byte 'A'
            .long {len(architecture) + 17}
            .asciz "riscv"
            .byte 1
            .long {len(architecture) + 7}
            .byte 5
            .asciz "{architecture}"
        """
        script = f"""
            ENTRY(tick)
            SECTIONS {{
                .flash.rodata 0x{self.constants:x} : {{ *(.flash.rodata) }}
                .iram0.text 0x{self.iram:x} : {{ *(.iram0.text) }}
                .flash.text 0x{self.flash:x} : {{ *(.flash.text) }}
                .flash_rodata_dummy 0x{self.constants:x} : {{ *(.dummy) }}
                /DISCARD/ : {{ *(.ARM.attributes) *(.text) *(.data) *(.bss) }}
            }}
        """
        self.folder.joinpath("parts.s").write_text(source)
        self.folder.joinpath("parts.ld").write_text(script)
        self.folder.joinpath("other.s").write_text(other)
        commands = (
            "arm-none-eabi-as -o parts.o parts.s",
            "arm-none-eabi-as -o other.o other.s",
            "arm-none-eabi-ld --no-check-sections -T parts.ld -o micropython.elf parts.o other.o",
        )
        for command in commands:
            subprocess.run(command.split(), cwd=self.folder, check=True)
        data = bytearray(self.elf.read_bytes())
        struct.pack_into("<H", data, 18, self.machine)
        self.elf.write_bytes(data)

    def convert(self, chip: str = "") -> Path:
        """Let esptool make the application."""
        binary = self.elf.with_suffix(".bin")
        command = [
            sys.executable,
            "-m",
            "esptool",
            "--chip",
            chip or self.chip.esptool,
            "elf2image",
        ]
        command += ["--elf-sha256-offset", "0xb0", "--output", str(binary), str(self.elf)]
        subprocess.run(command, check=True, capture_output=True)
        return binary

    def said(self) -> str:
        found = image.faults(image.Image(self.chip, image.Elf(self.elf)))
        return "\n".join(f"{fault.what}; {fault.remedy}" for fault in found)


def jal(offset: int) -> bytes:
    """RISC-V's JAL with register ra."""
    bits = (
        (offset >> 20 & 1) << 31
        | (offset >> 1 & 0x3FF) << 21
        | (offset >> 11 & 1) << 20
        | (offset >> 12 & 0xFF) << 12
    )
    return struct.pack("<I", bits | 1 << 7 | 0x6F)


def auipc_jalr(offset: int) -> bytes:
    high = offset + 0x800 & 0xFFFFF000
    low = offset - high & 0xFFF
    return struct.pack("<II", high | 6 << 7 | 0x17, low << 20 | 6 << 15 | 1 << 7 | 0x67)


RETURN = struct.pack("<H", 0x8082)
CODE = 16  # where the functions begin in their section


@pytest.fixture
def c3(tmp_path: Path) -> Parts:
    return Parts(tmp_path, "ESP32C3")


@pytest.fixture
def esp32(tmp_path: Path) -> Parts:
    return Parts(tmp_path, "ESP32")


def test_the_right_one_is_accepted(c3: Parts) -> None:
    c3.build(RETURN)
    c3.convert()
    assert c3.said() == ""


def test_the_tick_calls_what_is_in_the_rom(c3: Parts) -> None:
    c3.build(auipc_jalr(0x4000_0100 - (c3.iram + CODE)) + RETURN)
    assert c3.said() == ""


def test_the_tick_calls_into_flash(c3: Parts) -> None:
    c3.build(auipc_jalr(c3.flash - (c3.iram + CODE)) + RETURN)
    said = c3.said()
    for function in ("tick", "alarm_handler", "mp_thread_tick", "mp_thread_notify"):
        assert f"in_flash(), called by {function}(), is in flash and runs while flash" in said


def test_what_the_tick_calls_is_nowhere(c3: Parts) -> None:
    c3.build(jal(-0x100000 + 0x40) + RETURN)
    assert "runs while flash cannot be read" in c3.said()


@pytest.mark.parametrize(("half", "offset"), [(0x2021, 8), (0x3001, -2048), (0xA021, 8)])
def test_compressed_calls_are_followed(c3: Parts, half: int, offset: int) -> None:
    """C.JAL and C.J, as the assembler encodes them, to where no code is."""
    c3.build(struct.pack("<H", half) + RETURN)
    target = f"{c3.iram + CODE + offset:#x}"
    assert f"{target}(), called by tick(), is not there, at {target}, and runs while" in c3.said()


def test_the_tick_is_gone(c3: Parts) -> None:
    c3.build(RETURN, "mp_thread_notify call_start_cpu0")
    assert "it has mp_thread_notify(), and tick() cannot be found in it" in c3.said()


STATIC_TICK = """
.file "{file}"
.section .flash.text, "ax"
.type tick, %function
tick: .byte 0x82, 0x80
.size tick, 2
"""


@pytest.mark.parametrize(("file", "is_wrong"), [("lvgl.c", False), ("tick.c", True)])
def test_only_our_own_static_function_is_meant(c3: Parts, file: str, is_wrong: bool) -> None:
    c3.build(RETURN, other=STATIC_TICK.format(file=file))
    assert ("tick() is in flash and runs while flash" in c3.said()) == is_wrong


def test_stock_firmware_may_have_its_scheduler_in_flash(c3: Parts) -> None:
    c3.build(auipc_jalr(c3.flash - (c3.iram + CODE)) + RETURN, "tick mp_sched_schedule")
    assert c3.said() == ""


def test_xtensa_call_of_a_constant(esp32: Parts) -> None:
    """L32R of the word at the section's beginning, CALLX8."""
    words = -(CODE // 4) & 0xFFFF
    load = (words << 8 | 8 << 4 | 1).to_bytes(3, "little")
    esp32.build(load + (0xE0 | 8 << 8).to_bytes(3, "little") + b"\x1d\xf0")
    assert "in_flash(), called by " in esp32.said()


def test_xtensa_constant_that_is_not_called(esp32: Parts) -> None:
    words = -(CODE // 4) & 0xFFFF
    load = (words << 8 | 8 << 4 | 1).to_bytes(3, "little")
    esp32.build(load + b"\x1d\xf0")  # RETW.N
    assert esp32.said() == ""


def test_xtensa_call(esp32: Parts) -> None:
    place = esp32.iram + CODE
    offset = esp32.flash - (place & ~3) - 4 >> 2
    call = ((offset & 0x3FFFF) << 6 | 2 << 4 | 5).to_bytes(3, "little")
    esp32.build(call + b"\x1d\xf0")
    assert "in_flash(), called by " in esp32.said()


# An L32R and a CALLX8 of what it loads, behind a return and a byte that aligns them, and where the
# linker says that instructions are.
ALIGNED = bytes([0x1D, 0xF0, 0x05]) + bytes([0x81, 0xFB, 0xFF]) + bytes([0xE0, 0x08, 0x00])
TABLE = '.section .xt.prop, "", %progbits\n.long {0}, 2, 2, {0} + 2, 1, 8, {0} + 3, 6, 0x22'


def test_xtensa_code_behind_padding(esp32: Parts) -> None:
    esp32.build(ALIGNED, other=TABLE.format(esp32.iram + CODE))
    said = esp32.said()
    assert "in_flash(), called by " in said
    assert "is not there" not in said


def test_xtensa_call_of_a_weak_function_that_is_not_there(esp32: Parts) -> None:
    words = -(CODE // 4) + 1 & 0xFFFF  # the second word of the section: 0
    load = (words << 8 | 8 << 4 | 1).to_bytes(3, "little")
    esp32.build(load + (0xE0 | 8 << 8).to_bytes(3, "little") + b"\x1d\xf0")
    assert esp32.said() == ""


def test_code_for_another_machine(c3: Parts) -> None:
    c3.build(RETURN)
    c3.chip = CHIPS["ESP32S3"]
    assert "it is for EM_RISCV, not for EM_XTENSA" in c3.said()


@pytest.mark.parametrize(
    ("code", "extension"),
    [
        pytest.param(0x1005252F, "A", id="lr.w"),
        pytest.param(0x00052507, "F", id="flw"),
        pytest.param(0x00A57553, "F", id="fadd.s"),
        pytest.param(0x6108, "F", id="c.flw"),
        pytest.param(0xE02A, "F", id="c.fswsp"),
        pytest.param(0x2502, "D", id="c.fldsp"),
    ],
)
def test_an_instruction_of_a_larger_processor(c3: Parts, code: int, extension: str) -> None:
    c3.build(struct.pack("<I" if code & 3 == 3 else "<H", code) + RETURN)
    place = f"{c3.iram + CODE:#x}, alarm_handler()"
    assert f"ESP32C3 has no extension {extension}, which is used at {place}" in c3.said()


def test_a_section_that_only_keeps_addresses_in_flash(c3: Parts) -> None:
    c3.build(RETURN, other='.section .dummy, "aw", %nobits\n.space 64\n')
    assert c3.said() == ""


def test_sections_that_overlap(c3: Parts) -> None:
    c3.build(RETURN, other='.section .dummy, "aw"\n.word 1\n')
    assert ".flash_rodata_dummy and .flash.rodata overlap at " in c3.said()


def test_a_section_where_no_memory_is(c3: Parts) -> None:
    c3.iram = 0x4100_0000
    c3.build(RETURN)
    assert ".iram0.text is at 0x41000000" in c3.said()


@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (12, "is for chip "),
        (4, "starts at "),
        (0x18 + 8 + 0x120, "differs in .flash.rodata from the ELF file"),
        (0, "esptool refuses micropython.bin: Invalid firmware image magic"),
        (-1, "has a wrong SHA-256"),
        (-33, "has a wrong checksum"),
    ],
)
def test_application_changed(c3: Parts, offset: int, said: str) -> None:
    c3.build(RETURN)
    path = c3.convert()
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)
    assert said in c3.said()


def test_application_whose_code_in_ram_is_split(c3: Parts) -> None:
    """esptool fills with it what is free between two pieces of flash."""
    c3.build(RETURN, other='.section .iram0.text, "ax"\n.space 100000, 1\n')
    c3.convert()
    assert c3.said() == ""


def test_application_of_another_build(c3: Parts) -> None:
    c3.build(RETURN)
    c3.convert()
    c3.flash += 0x100
    c3.build(RETURN)
    assert "micropython.bin lacks .flash.text" in c3.said()


def test_application_cut_off(c3: Parts) -> None:
    c3.build(RETURN)
    path = c3.convert()
    path.write_bytes(path.read_bytes()[:100])
    assert "esptool refuses micropython.bin" in c3.said()


def table(*partitions: tuple[str, int, int, int]) -> bytes:
    """Return a table of partitions: name, type, start and size of each."""
    entries = (
        struct.pack("<HBBII16sI", 0x50AA, kind, 0, start, size, name.encode(), 0)
        for name, kind, start, size in partitions
    )
    return b"".join(entries).ljust(0xC00, b"\xff")


NVS = ("nvs", 1, 0x9000, 0x6000)


@pytest.mark.parametrize(
    ("partitions", "said"),
    [
        ([NVS, ("factory", 0, 0x10000, 0x1F0000)], ""),
        ([NVS, ("factory", 0, 0xE000, 0x1F0000)], "partitions nvs and factory overlap"),
        ([NVS, ("factory", 0, 0x10000, 0x100)], "bytes, its partition factory 256"),
        ([NVS, ("ota_0", 0, 0x10000, 1 << 20), ("ota_1", 0, 0x110000, 64)], "ota_1 64"),
    ],
)
def test_partitions(c3: Parts, partitions: list[tuple[str, int, int, int]], said: str) -> None:
    c3.build(RETURN)
    c3.convert()
    path = c3.folder / "partition_table/partition-table.bin"
    path.parent.mkdir()
    path.write_bytes(table(*partitions))
    found = c3.said()
    assert said in found
    assert bool(found) == bool(said)


def test_static_functions_are_where_the_rules_look_for_them() -> None:
    rules = [rule for rule in ESP_FLASH_OFF if rule.file]
    assert rules
    for rule in rules:
        code = (project.ROOT / "ports/esp32" / rule.file).read_text()
        assert re.search(rf"^static .*\b{rule.function}\(", code, re.MULTILINE), rule.function
