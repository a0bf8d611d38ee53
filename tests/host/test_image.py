"""Images that a chip would refuse, each wrong on purpose in one way, and what is said of them."""

import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_image
from tiny_image import MAIN, RP2040_FLAGS, SCRIPT, START, Tiny

from modthread._boards import boards
from modthread._boards.boards import Board, EsptoolConfig
from modthread._firmware import image
from modthread._firmware.image.chips import CHIPS, FLASH, RP2040, chip_of
from modthread.cli import main
from modthread.errors import ModthreadError

pytestmark = pytest.mark.lane("check")

Change = Callable[[Tiny], None]


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return the right image, to be copied."""
    made = Tiny(tmp_path_factory.mktemp("right"))
    made.build()
    return made


@pytest.fixture
def right(made: Tiny, tmp_path: Path) -> Tiny:
    return Tiny(Path(shutil.copytree(made.folder, tmp_path / "copy")))


def said_of(tiny: Tiny, chip: str = "RP2040") -> str:
    """Return all that the rules say, a line each."""
    found = image.faults(image.Image(CHIPS[chip], image.Elf(tiny.elf), 2 << 20))
    return "\n".join(f"{fault.what}; {fault.remedy}" for fault in found)


def test_the_right_one_is_accepted(right: Tiny) -> None:
    assert said_of(right) == ""


# The fault that this is all about: CMake linked without -mcpu and -mthumb, and the compiler took
# its start files in ARM state, which pico-sdk's start calls through __init_array.


def test_link_without_the_chips_flags(tiny: Tiny) -> None:
    tiny.build(link_flags=[])
    said = said_of(tiny)
    assert "its attribute ARM_ISA_USE is 1, not absent; link with -mcpu=cortex-m0plus" in said
    assert "code in ARM state at " in said
    assert "entry 0 of __init_array_start is even: " in said
    assert "frame_dummy()" in said
    assert "crti.o is from '.', not from 'thumb/v6-m/nofp'" in said


def pointer(table: str, value: int | Callable[[Tiny], int]) -> Change:
    """Put a value into the first entry of a table."""

    def change(tiny: Tiny) -> None:
        number = value if isinstance(value, int) else value(tiny)
        tiny.patch(tiny.symbol(table), struct.pack("<I", number))

    return change


def vector(index: int, value: int | Callable[[Tiny], int]) -> Change:
    """Put a value into the vector table."""

    def change(tiny: Tiny) -> None:
        number = value if isinstance(value, int) else value(tiny)
        tiny.patch(tiny.symbol("__vectors") + 4 * index, struct.pack("<I", number))

    return change


def even(function: str) -> Callable[[Tiny], int]:
    return lambda tiny: tiny.symbol(function) & ~1


def code(function: str, *halves: int) -> Change:
    """Put instructions at the beginning of a function."""

    def change(tiny: Tiny) -> None:
        tiny.patch(tiny.symbol(function) & ~1, struct.pack(f"<{len(halves)}H", *halves))

    return change


def header(offset: int, data: bytes) -> Change:
    """Change the ELF file's header."""
    return lambda tiny: tiny.patch_file(offset, data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            vector(0, 0x20041FFC), "stack pointer 0x20041ffc is not aligned to 8", id="sp"
        ),
        pytest.param(vector(0, 0x20043000), "stack pointer 0x20043000 is not in RAM", id="sp-out"),
        pytest.param(
            vector(0, 0x20000010), "stack pointer 0x20000010 is in .data", id="sp-in-data"
        ),
        pytest.param(vector(1, even("_reset_handler")), "vector 1 is even", id="reset-even"),
        pytest.param(vector(3, even("isr_hardfault")), "vector 3 is even", id="fault-even"),
        pytest.param(vector(20, 0), "vector 20 is even", id="interrupt-missing"),
        pytest.param(vector(3, 0x10001001), "vector 3 is where no code is", id="vector-nowhere"),
        pytest.param(vector(3, 0x20030001), "vector 3 is where no code is", id="vector-in-ram"),
        pytest.param(
            pointer("__init_array_start", even("at_start")),
            "entry 0 of __init_array_start is even",
            id="init-array-even",
        ),
        pytest.param(
            pointer("__init_array_start", 0x20000001),
            "",
            id="init-array-to-code-in-ram",
        ),
        pytest.param(
            pointer("__init_array_start", lambda tiny: tiny.symbol("buffer") | 1),
            "entry 0 of __init_array_start is where no code is",
            id="init-array-to-data",
        ),
        pytest.param(
            pointer("__preinit_array_start", even("in_flash")),
            "entry 0 of __preinit_array_start is even",
            id="preinit-array-even",
        ),
        pytest.param(
            pointer("__fini_array_start", 0),
            "entry 0 of __fini_array_start is even",
            id="fini-array-empty",
        ),
        pytest.param(
            pointer("handlers", even("in_flash")),
            "in_flash() is named by an even pointer",
            id="handlers-even",
        ),
        pytest.param(pointer("numbers", even("in_flash")), "", id="number-like-a-function"),
        pytest.param(header(24, struct.pack("<I", 0x10000200)), "its entry point is", id="entry"),
        pytest.param(header(18, b"\xf3"), "it is for EM_RISCV, not for EM_ARM", id="machine"),
        pytest.param(code("in_flash", 0xB101), "no Armv6-M processor has CBZ", id="cbz"),
        pytest.param(code("in_flash", 0xBF08), "no Armv6-M processor has IT", id="if-then"),
        pytest.param(
            code("in_flash", 0xEE30, 0x0A00), "no Armv6-M processor has ee30 0a00", id="float"
        ),
        pytest.param(
            code("in_flash", 0xE9D0, 0x1200), "no Armv6-M processor has e9d0 1200", id="ldrd"
        ),
        pytest.param(
            code("in_flash", 0xFB90, 0xF0F1), "no Armv6-M processor has fb90 f0f1", id="divide"
        ),
        pytest.param(
            code("in_flash", 0xF7FF, 0xEFFE), "no Armv6-M processor has f7ff effe", id="to-arm"
        ),
        pytest.param(
            lambda tiny: tiny.patch(0x10000010, b"\xff"), "wrong checksum", id="boot2-checksum"
        ),
        pytest.param(
            lambda tiny: tiny.patch(0x10000000, bytes(256)),
            "it has no second stage of the boot",
            id="boot2-missing",
        ),
    ],
)
def test_patched(right: Tiny, change: Change, said: str) -> None:
    change(right)
    right.convert()
    found = said_of(right)
    assert said in found
    assert bool(found) == bool(said)


def test_stripped(right: Tiny) -> None:
    subprocess.run(["arm-none-eabi-strip", right.elf], check=True)
    assert "it has no mapping symbols; check the .elf as the linker made it" in said_of(right)


def test_attributes_thrown_away(right: Tiny) -> None:
    command = ["arm-none-eabi-objcopy", "-R", ".ARM.attributes", str(right.elf)]
    subprocess.run(command, check=True)
    assert "it does not say for which architecture it is; keep .ARM.attributes" in said_of(right)


def script(old: str, new: str, text: str = SCRIPT) -> dict[str, str]:
    return {"script": replaced(text, old, new)}


def program(old: str, new: str) -> dict[str, str]:
    return {"main": replaced(MAIN, old, new)}


def start(old: str, new: str) -> dict[str, str]:
    return {"start": replaced(START, old, new)}


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            {"main_flags": ("-mcpu=cortex-m3", "-mthumb")},
            "main.o is for another processor: its CPU_ARCH is 10",
            id="object-of-an-M3",
        ),
        pytest.param(
            start("\n.text\n", "\n.text\n.arm\nmov r0, r0\n.thumb\n")
            | {"flags": ("-mcpu=arm926ej-s", "-mthumb"), "link_flags": RP2040_FLAGS},
            "code in ARM state at 0x10000",
            id="arm-state",
        ),
        pytest.param(
            start(
                "function isr_nmi\n", "lost:\n bx lr\nfunction isr_nmi\n ldr r3, =lost\n bx r3\n"
            ),
            "isr_nmi() branches to lost() by an even pointer",
            id="branch",
        ),
        pytest.param(
            start("\n.text\n", '\n.section .ctors, "a"\n.word -1, lost, 0\n.text\nlost:\n bx lr\n')
            | script(".data : {", ".ctors : { KEEP(*(.ctors)) } > FLASH\n    .data : {"),
            "entry 1 of .ctors is even: ",
            id="ctors-even",
        ),
        pytest.param(
            script("ALIGN(256);", "ALIGN(256) + 4;"),
            "its vector table at 0x10000104 is not aligned to 256",
            id="vectors",
        ),
        pytest.param(
            start("__vectors", "__table"), "it has no table of 48 vectors", id="no-vectors"
        ),
        pytest.param(
            program("char buffer[64]", "char buffer[0x60000]")
            | script("LENGTH = 264K", "LENGTH = 1M"),
            "ends after its RAM",
            id="bss-too-large",
        ),
        pytest.param(
            script("0x20000000, LENGTH", "0x30000000, LENGTH"), "where no memory is", id="no-ram"
        ),
        pytest.param(
            script("> RAM AT > FLASH", "> FLASH"), ".data is written, and at", id="data-in-flash"
        ),
        pytest.param(
            script("LENGTH = 2M", "LENGTH = 4M")
            | program("counter = 3;", "counter = 3; const char large[2 << 20] = {1};"),
            "is loaded, and not in the board's flash",
            id="flash-too-small",
        ),
        pytest.param(
            script("__StackBottom = 0x20040000", "__StackBottom = __bss_start__"),
            "overlap at 0x20000",
            id="stack-over-bss",
        ),
        pytest.param(
            script("__GcHeapEnd = 0x20040000", "__GcHeapEnd = 0x20041000"),
            "MicroPython's heap and stack of core 0 overlap at 0x20040000",
            id="heap-over-stack",
        ),
        pytest.param(
            script("__StackBottom = 0x20040000", "__StackBottom = 0x20040004"),
            "stack of core 0, 0x20040004 to 0x20042000, is not aligned to 8",
            id="stack-alignment",
        ),
        pytest.param(
            script("__GcHeapEnd = 0x20040000", "__GcHeapEnd = 0x20000000"),
            "ends before it begins",
            id="heap-backwards",
        ),
    ],
)
def test_built_wrong(tiny: Tiny, change: dict[str, Any], said: str) -> None:
    tiny.build(**change)
    assert said in said_of(tiny)


# What runs while flash cannot be read.

LATE_CALLS = {
    "by-a-veneer": "void in_flash(void); IN_RAM void in_ram(void) { in_flash(); counter--; }",
    "at-its-end": "void in_flash(void); IN_RAM void in_ram(void) { counter--; in_flash(); }",
    "by-a-pointer": "void in_flash(void); IN_RAM void in_ram(void) {"
    ' __asm volatile ("ldr r3, =in_flash\\n blx r3" ::: "r3", "lr"); counter--; }',
}


@pytest.mark.parametrize("late", LATE_CALLS.values(), ids=LATE_CALLS)
def test_flash_routine_calls_into_flash(tiny: Tiny, late: str) -> None:
    tiny.build(**program("IN_RAM void in_ram(void) { counter--; }", late))
    assert (
        "in_flash(), called by in_ram() from flash_range_erase(), is in flash and runs while flash"
        " cannot be read; put it in RAM, or do not call it"
    ) in said_of(tiny)


def test_flash_routine_divides(tiny: Tiny) -> None:
    tiny.build(**program("counter -= offset;", "counter /= offset;"))
    assert "__aeabi_idiv(), called by flash_range_program(), is in flash" in said_of(tiny)


@pytest.mark.parametrize("divide", ["__wrap___aeabi_idiv", "__wrap___aeabi_uidiv"])
def test_flash_routine_divides_before_flash_is_off(tiny: Tiny, divide: str) -> None:
    """MicroPython's own does, and from 1.28 on the frequencies there are unsigned."""
    tiny.build(
        **program(
            "IN_RAM void rp2_flash_set_timing_internal(int hz) { counter = hz; }",
            f"__attribute__((noinline)) int {divide}(int n) {{ return n + counter; }}"
            f"IN_RAM void rp2_flash_set_timing_internal(int hz) {{ counter = {divide}(hz) + 1; }}",
        )
    )
    assert "while flash cannot be read" not in said_of(tiny)


def test_flash_routine_switches_with_a_helper(tiny: Tiny) -> None:
    cases = " ".join(f"case {n}: counter ^= {n * n + 7}; break;" for n in range(9))
    tiny.build(**program("counter += offset;", f"switch (offset) {{ {cases} }}"))
    assert "__gnu_thumb1_case_" in said_of(tiny)


def test_flash_routine_in_flash(tiny: Tiny) -> None:
    tiny.build(**program("IN_RAM void flash_range_erase", "void flash_range_erase"))
    assert "flash_range_erase() is in flash and runs" in said_of(tiny)


def test_flash_routine_renamed(tiny: Tiny) -> None:
    tiny.build(**program("flash_range_erase", "flash_erase"))
    assert (
        "it has rp2_flash_writeblocks(), and flash_range_erase() cannot be found in it"
    ) in said_of(tiny)


def test_part_of_a_flash_routine_in_flash(tiny: Tiny) -> None:
    """The compiler may split a function, and where it puts the rest is its own choice."""
    part = 'void part(int) __asm__("flash_range_erase.part.0"); void part(int n) { counter = n; }'
    tiny.build(**program("void rp2_flash_write", f"{part} void rp2_flash_write"))
    assert "flash_range_erase.part.0() is in flash and runs" in said_of(tiny)


# What the compilers and the linker were told.

NINJA = """\
build CMakeFiles/firmware.dir/main.c.o: C_COMPILER__firmware_ main.c || cmake_object_order
  DEFINES = -DX
  DEP_FILE = main.c.o.d
  FLAGS = -mcpu=cortex-m0plus -mthumb -Os
  INCLUDES = -I.

build CMakeFiles/firmware.dir/start.S.o: ASM_COMPILER__firmware_ start.S
  FLAGS = -mcpu=cortex-m0plus -mthumb -g

build CMakeFiles/firmware.dir/new.cpp.o: CXX_COMPILER__firmware_ new.cpp
  FLAGS = -mcpu=cortex-m0plus -mthumb -fno-rtti

build firmware.elf: CXX_EXECUTABLE_LINKER__firmware_ main.c.o | lib.a
  FLAGS = -mcpu=cortex-m0plus -mthumb -Os
  LINK_FLAGS = -Wl,-Map=firmware.elf.map
"""


def test_flags_are_complete(right: Tiny) -> None:
    right.folder.joinpath("build.ninja").write_text(NINJA)
    assert said_of(right) == ""


@pytest.mark.parametrize("end", ["-Os\n  INCL", "-g", "-fno-rtti", "-Os\n  LINK"])
@pytest.mark.parametrize("flag", ["-mcpu=cortex-m0plus ", "-mthumb "])
def test_a_compiler_lacks_a_flag(right: Tiny, end: str, flag: str) -> None:
    whole = f"-mcpu=cortex-m0plus -mthumb {end}"
    assert NINJA.count(whole) == 1
    text = NINJA.replace(whole, whole.replace(flag, ""))
    right.folder.joinpath("build.ninja").write_text(text)
    said = said_of(right)
    assert f"is made without {flag.strip()}; set it in CMake for C, C++ and assembler" in said
    assert len(said.splitlines()) == 1


def test_no_flags_at_all(right: Tiny) -> None:
    text = NINJA.replace("  FLAGS = -mcpu=cortex-m0plus -mthumb -g\n", "")
    right.folder.joinpath("build.ninja").write_text(text)
    assert "start.S.o is made without -mcpu=cortex-m0plus" in said_of(right)


def test_a_library_for_another_processor(right: Tiny) -> None:
    path = right.folder / "firmware.elf.map"
    text = path.read_text()
    wrong = text.replace("thumb/v6-m/nofp/libgcc.a", "thumb/v7-m/nofp/libgcc.a")
    assert wrong != text
    path.write_text(wrong)
    assert "libgcc.a is from 'thumb/v7-m/nofp', not from 'thumb/v6-m/nofp'" in said_of(right)


# What is flashed.


def uf2_change(change: Callable[[bytearray], bytes | bytearray]) -> Change:
    def apply(tiny: Tiny) -> None:
        path = tiny.elf.with_suffix(".uf2")
        path.write_bytes(change(bytearray(path.read_bytes())))

    return apply


def put(offset: int, value: int) -> Change:
    """Put a word into the second block of the UF2 file."""

    def change(data: bytearray) -> bytearray:
        struct.pack_into("<I", data, 512 + offset, value)
        return data

    return uf2_change(change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(put(28, 0xE48BFF59), "is of family 0xe48bff59, not 0xe48bff56", id="family"),
        pytest.param(put(8, 0), "is of family none", id="no-family"),
        pytest.param(put(8, 0x2001), "is not for the flash", id="comment"),
        pytest.param(put(20, 7), "block 1 of firmware.uf2 says it is 7 of ", id="number"),
        pytest.param(put(24, 99), "says it is 1 of 99", id="count"),
        pytest.param(put(12, 0x10000180), "is for 0x10000180, no multiple of 256", id="address"),
        pytest.param(put(12, 0x10080000), "differs at 0x10000100", id="elsewhere"),
        pytest.param(put(12, 0x10000000), "has two blocks for one address", id="twice"),
        pytest.param(put(16, 476), "has 476 bytes in block 1", id="size"),
        pytest.param(put(0, 0), "has no block of UF2 at 512", id="magic"),
        pytest.param(put(508, 0), "has no block of UF2 at 512", id="end"),
        pytest.param(put(40, 0x12345678), "differs at 0x10000100", id="content"),
        pytest.param(uf2_change(lambda data: data[:-512]), "differs at 0x1000", id="last-missing"),
        pytest.param(uf2_change(lambda data: data[:-1]), "no multiple of 512", id="cut-off"),
        pytest.param(uf2_change(lambda _: b""), "has 0 bytes", id="empty"),
        pytest.param(
            lambda tiny: tiny.elf.with_suffix(".bin").write_bytes(b"\0" * 9000),
            "firmware.bin differs from what the ELF file loads",
            id="bin",
        ),
    ],
)
def test_files(right: Tiny, change: Change, said: str) -> None:
    change(right)
    assert said in said_of(right)


def test_a_uf2_file_with_more_than_there_is(right: Tiny) -> None:
    data = right.elf.with_suffix(".bin").read_bytes()
    data += bytes(-len(data) % 256) + b"more"
    right.elf.with_suffix(".uf2").write_bytes(tiny_image.uf2(data, 0x10000000))
    assert "where nothing is loaded" in said_of(right)


# Other chips.

M33_FLAGS = ("-mcpu=cortex-m33", "-mthumb", "-march=armv8-m.main+fp+dsp", "-mfloat-abi=softfp")
BLOCK = ".word 0xffffded3, 0x10210142, 0x000001ff, 0, 0xab123579\n"
M33_START = START.replace(".rept 44", ".rept 64").replace(
    ".text\n", f".text\n.section .vectors\n{BLOCK}.text\n", 1
)
M33 = {"start": M33_START, "script": SCRIPT.replace("ALIGN(256)", "ALIGN(512)")}


def test_rp2350(tiny: Tiny) -> None:
    tiny.build(flags=M33_FLAGS, **M33)
    tiny.elf.with_suffix(".uf2").unlink()  # it is of the RP2040's family
    assert said_of(tiny, "RP2350") == ""
    assert "its attribute CPU_ARCH is 17 (v8-M.main), not 12 (v6S-M)" in said_of(tiny)


def test_rp2350_without_its_block(tiny: Tiny) -> None:
    tiny.build(flags=M33_FLAGS, **M33 | {"start": M33_START.replace(BLOCK, "")})
    assert "find no image definition in the first 4096 bytes" in said_of(tiny, "RP2350")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bs2_default_padded_checksummed.S.o", ""),
        ("other.o", "other.o is for another processor: its CPU_ARCH is 12; compile it with"),
    ],
)
def test_rp2350_with_an_object_for_an_m0(tiny: Tiny, name: str, said: str) -> None:
    """As pico-sdk's script makes one of the RP2350's second stage."""
    tiny.build(flags=M33_FLAGS, **M33)
    tiny.elf.with_suffix(".uf2").unlink()  # it is of the RP2040's family
    source = ".cpu cortex-m0plus\n.thumb\n.section .boot2\n.byte 0x13, 0xf5, 0x40, 0x53\n"
    command = ["arm-none-eabi-gcc", *M33_FLAGS, "-c", "-x", "assembler", "-", "-o", name]
    subprocess.run(command, input=source.encode(), cwd=tiny.folder, check=True)
    with (tiny.folder / "firmware.elf.map").open("a") as file:
        file.write(f"LOAD {name}\n")
    assert said_of(tiny, "RP2350").startswith(said)
    assert bool(said_of(tiny, "RP2350")) == bool(said)


@pytest.mark.parametrize(
    ("halves", "said"),
    [
        ((0xEE30, 0x0B00), "has double-precision instruction"),
        ((0xEE00, 0x0210), "has an instruction of coprocessor 2"),
        ((0xEE30, 0x0A00), ""),  # single precision
        ((0xFB10, 0xF000), ""),  # DSP
    ],
)
def test_rp2350_instructions(tiny: Tiny, halves: tuple[int, ...], said: str) -> None:
    tiny.build(flags=M33_FLAGS, **M33)
    code("in_flash", *halves)(tiny)
    tiny.convert()
    tiny.elf.with_suffix(".uf2").unlink()
    found = said_of(tiny, "RP2350")
    assert said in found
    assert bool(found) == bool(said)


M3_FLAGS = ("-mcpu=cortex-m3", "-mthumb", "-mfloat-abi=soft")
M3_SCRIPT = (
    SCRIPT.replace("0x10000000", "0")
    .replace(".boot2 : { KEEP(*(.boot2)) } > FLASH", "")
    .replace("/DISCARD/ : {", "/DISCARD/ : { *(.boot2)")
    .replace("_reset_handler)", "_reset_handler) _sdata = __data_start__;")
)


@pytest.mark.parametrize(
    ("halves", "said"),
    [
        ((0xB101,), ""),
        ((0xFB90, 0xF0F1), ""),
        ((0xEE30, 0x0A00), "no Armv7-M processor has an instruction of coprocessor 10"),
        ((0xFB10, 0xF000), "no Armv7-M processor has SMLA"),
        ((0xFA90, 0xF000), "no Armv7-M processor has parallel addition"),
        ((0xFA92, 0xF082), ""),  # REV
        ((0xE8D0, 0x0FAF), "no Armv7-M processor has LDA or STL"),
        ((0xE8D0, 0xF001), ""),  # TBB
    ],
)
def test_m3_instructions(
    tiny: Tiny, halves: tuple[int, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, "seal", lambda: None)
    tiny.build(flags=M3_FLAGS, script=M3_SCRIPT)
    code("in_flash", *halves)(tiny)
    found = said_of(tiny, "MPS2_AN385")
    assert said in found
    assert bool(found) == bool(said)


PYEXEC = ("pyexec_file_if_exists", "pyexec_friendly_repl", "pyexec_raw_repl")


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ((), set()),  # a stock firmware
        (("gil_init", *(f"__wrap_{name}" for name in PYEXEC)), set()),
        (("gil_init", *(f"__wrap_{name}" for name in PYEXEC[1:])), {PYEXEC[0]}),
        (("gil_init",), {*PYEXEC}),
    ],
)
def test_threads_that_a_soft_reset_would_not_end_first(
    tiny: Tiny, names: tuple[str, ...], missing: set[str]
) -> None:
    tiny.build(main=MAIN + "".join(f"void {name}(void) {{}}\n" for name in names))
    assert {*re.findall(r"nothing calls (\w+)\(\)", said_of(tiny))} == missing


# What the user sees.


@pytest.fixture
def pico() -> Board:
    return boards.load("RPI_PICO")


def test_a_build_that_fails_leaves_no_image(right: Tiny, pico: Board) -> None:
    right.patch(0x10000010, b"\xff")
    right.convert()
    right.elf.with_suffix(".hex").write_text("")
    with pytest.raises(ModthreadError) as error:
        image.check_build(right.elf, pico)
    assert str(error.value) == (
        "RPI_PICO would not run firmware.elf, so it is now refused.elf: the boot ROM will refuse"
        " its second stage: wrong checksum; link pico-sdk's boot_stage2 for this board"
    )
    left = {path.name for path in right.folder.iterdir()}
    assert "refused.elf" in left
    assert not left & {"firmware.elf", "firmware.bin", "firmware.uf2", "firmware.hex"}
    assert "wrong checksum" in (right.folder / "image.txt").read_text()


def test_a_build_says_one_fault_and_where_the_others_are(tiny: Tiny, pico: Board) -> None:
    tiny.build(link_flags=[])
    with pytest.raises(ModthreadError, match=r"; \d+ more in .*/image\.txt$") as error:
        image.check_build(tiny.elf, pico)
    assert "\n" not in str(error.value)


def test_what_was_not_rebuilt_is_not_checked_again(
    right: Tiny, pico: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    image.check_build(right.elf, pico)
    monkeypatch.setattr(image, "RULES", None)
    image.check_build(right.elf, pico)
    right.convert()
    with pytest.raises(TypeError):
        image.check_build(right.elf, pico)


def test_command(right: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["check-image", str(right.elf), "--board", "RPI_PICO"]
    assert main(command) == 0
    assert capsys.readouterr().out == f"{right.elf}: RPI_PICO has nothing against it\n"
    right.elf.with_suffix(".uf2").write_bytes(b"")
    assert main(command) == 2
    assert capsys.readouterr().err == (
        f"modthread: {right.elf}: firmware.uf2 has 0 bytes, no multiple of 512;"
        " delete it and build again\n"
    )
    assert right.elf.is_file()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory; name the firmware's .elf"),
        (b"\x7fELF", "is no ELF file; name the firmware's .elf"),
        (b"UF2\n" * 200, "is no ELF file; name the firmware's .elf"),
    ],
)
def test_command_with_another_file(
    tmp_path: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "firmware.uf2"
    if content is not None:
        path.write_bytes(content)
    assert main(["check-image", str(path), "--board", "RPI_PICO"]) == 2
    assert capsys.readouterr().err == f"modthread: {path}: {said}\n"


def test_every_board_has_a_chip() -> None:
    assert {chip_of(boards.load(name)).name for name in boards.names()} <= set(CHIPS)
    assert chip_of(boards.load("RPI_PICO")) is RP2040


@pytest.mark.parametrize("name", boards.BOOT_ROMS)
def test_what_the_boot_rom_takes_is_what_is_checked(name: str) -> None:
    rom, chip = boards.BOOT_ROMS[name], CHIPS[name]
    assert rom.family == chip.uf2_family
    assert [(rom.start, rom.size)] == [
        (one.start, one.size) for one in chip.memories if one.kind == FLASH
    ]


def test_the_size_of_the_flash_is_the_images(tiny: Tiny) -> None:
    tiny.build(link_flags=[*RP2040_FLAGS, "-Wl,--defsym=__modthread_flash_size__=0x100000"])
    assert image.flash_size(image.Elf(tiny.elf)) == 1 << 20


def test_an_unknown_chip_is_one_line() -> None:
    board = Board("MINE", "", port="esp32", esptool=EsptoolConfig("RP9999", 0))
    with pytest.raises(ModthreadError, match=r"^MINE: nothing is known of chip RP9999; known are"):
        chip_of(board)
