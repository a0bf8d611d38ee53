"""Tiny firmware images, right and wrong on purpose, made with the cross-compiler."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

RP2040_FLAGS = ("-mcpu=cortex-m0plus", "-mthumb")

# As pico-sdk's start has it, with MicroPython's flash routines, and no more.
START = """
.syntax unified
.section .boot2, "ax"
    movs r0, #0
    bx lr
    .space 256 - 4
.section .vectors, "a"
.global __vectors
__vectors:
    .word __StackTop, _reset_handler, isr_nmi, isr_hardfault
    .rept 44
    .word isr_other
    .endr
.text
.macro function name
.global \\name
.type \\name, %function
.thumb_func
\\name:
.endm
function _reset_handler
    ldr r0, =main
    blx r0
    b .
function isr_nmi
    bx lr
function isr_hardfault
    bx lr
function isr_other
    bx lr
"""

MAIN = """
#define IN_RAM __attribute__((noinline, section(".time_critical")))

typedef void (*handler_t)(void);
volatile int counter = 3;
char buffer[64];

void in_flash(void) { counter++; }
IN_RAM void in_ram(void) { counter--; }
IN_RAM void flash_range_erase(int offset) { in_ram(); counter += offset; }
IN_RAM void flash_range_program(int offset) { counter -= offset; in_ram(); }
IN_RAM void rp2_flash_set_timing_internal(int hz) { counter = hz; }
void rp2_flash_writeblocks(void) {
    flash_range_erase(1); flash_range_program(2); rp2_flash_set_timing_internal(3); in_flash();
}

__attribute__((constructor)) void at_start(void) { counter = buffer[1]; }
__attribute__((destructor)) void at_end(void) { counter = 0; }
const handler_t handlers[] = { in_flash, in_ram };
const unsigned numbers[] = { 1, 2 };
#define FIRST __attribute__((section(".preinit_array"), used))
static const handler_t first[] FIRST = { in_flash };

int main(void) {
    for (;;) {
        rp2_flash_writeblocks();
        handlers[counter & 1]();
        counter = numbers[counter & 1];
    }
}
void _exit(int status) { for (;;) { } }
"""

SCRIPT = """
MEMORY {
    FLASH (rx) : ORIGIN = 0x10000000, LENGTH = 2M
    RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 264K
}
ENTRY(_reset_handler)
SECTIONS {
    .boot2 : { KEEP(*(.boot2)) } > FLASH
    .text : {
        . = ALIGN(256);
        KEEP(*(.vectors)) *(.init) *(.text*) *(.fini) *(.rodata*) *(.eh_frame*)
        . = ALIGN(4);
    } > FLASH
    .data : {
        __data_start__ = .;
        *(.time_critical*) *(.data*) . = ALIGN(4);
        __preinit_array_start = .; KEEP(*(.preinit_array)) __preinit_array_end = .;
        __init_array_start = .; KEEP(*(.init_array*)) __init_array_end = .;
        __fini_array_start = .; KEEP(*(.fini_array*)) __fini_array_end = .;
        __data_end__ = .;
    } > RAM AT > FLASH
    .bss (NOLOAD) : { __bss_start__ = .; *(.bss*) *(COMMON) . = ALIGN(4); __bss_end__ = .; } > RAM
    __bss_start = __bss_start__; end = __bss_end__; __end__ = end;
    __GcHeapStart = __bss_end__;
    __GcHeapEnd = 0x20040000;
    __StackBottom = 0x20040000;
    __StackTop = 0x20042000;
    /DISCARD/ : { *(.ARM.exidx*) }
}
"""


class Tiny:
    """A tiny image in `folder`: ``firmware.elf``, its map, ``.bin`` and ``.uf2``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.elf = folder / "firmware.elf"

    def build(
        self,
        start: str = START,
        main: str = MAIN,
        script: str = SCRIPT,
        flags: Sequence[str] = RP2040_FLAGS,
        link_flags: Sequence[str] | None = None,
        main_flags: Sequence[str] | None = None,
    ) -> None:
        """Compile `start` and `main`, and link them with the compiler's own start files."""
        self.folder.joinpath("start.S").write_text(start)
        self.folder.joinpath("main.c").write_text(main)
        self.folder.joinpath("tiny.ld").write_text(script)
        self._gcc(*flags, "-c", "start.S", "-o", "start.o")
        self._gcc(*(main_flags or flags), "-Os", "-c", "main.c", "-o", "main.o")
        self.link(flags if link_flags is None else link_flags)

    def link(self, flags: Sequence[str] = RP2040_FLAGS) -> None:
        script = ["-Ttiny.ld", "-Wl,-Map=firmware.elf.map", "--specs=nosys.specs"]
        quiet = ["-Wl,--no-warn-rwx-segments", "-Wl,--no-warn-mismatch"]
        self._gcc(*flags, *script, *quiet, "start.o", "main.o", "-o", self.elf.name)
        self.seal()

    def _gcc(self, *arguments: str) -> None:
        command = ["arm-none-eabi-gcc", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def seal(self) -> None:
        """Give the second stage of the boot its checksum, and convert."""
        boot2 = self.read(0x10000000, 252)
        self.patch(0x100000FC, struct.pack("<I", crc(boot2)))
        self.convert()

    def convert(self) -> None:
        """Make the .bin and the .uf2 file of the ELF file."""
        pieces = [
            (load, self._bytes()[at : at + size]) for _, load, at, size in self._segments() if size
        ]
        first = min(load for load, _ in pieces)
        data = bytearray(max(load + len(piece) for load, piece in pieces) - first)
        for load, piece in pieces:
            data[load - first : load - first + len(piece)] = piece
        self.elf.with_suffix(".bin").write_bytes(data)
        self.elf.with_suffix(".uf2").write_bytes(uf2(bytes(data), first))

    def symbol(self, name: str) -> int:
        """Return a symbol's value, without the bit that says Thumb."""
        listed = subprocess.run(
            ["arm-none-eabi-nm", self.elf], capture_output=True, text=True, check=True
        ).stdout
        return next(
            int(line.split()[0], 16) for line in listed.splitlines() if line.endswith(f" {name}")
        )

    def read(self, address: int, size: int) -> bytes:
        at = self._offset(address)
        return self._bytes()[at : at + size]

    def patch(self, address: int, data: bytes) -> None:
        """Change bytes of the ELF file, by their address at run time."""
        self.patch_file(self._offset(address), data)

    def patch_file(self, offset: int, data: bytes) -> None:
        """Change bytes of the ELF file."""
        content = bytearray(self._bytes())
        content[offset : offset + len(data)] = data
        self.elf.write_bytes(content)

    def _bytes(self) -> bytes:
        return self.elf.read_bytes()

    def _segments(self) -> list[tuple[int, int, int, int]]:
        """Return address, load address, offset and size of each."""
        content = self._bytes()
        table, size, count = (
            *struct.unpack_from("<I", content, 28),
            *struct.unpack_from("<HH", content, 42),
        )
        found = (struct.unpack_from("<5I", content, table + size * index) for index in range(count))
        return [
            (address, load, at, length) for kind, at, address, load, length in found if kind == 1
        ]

    def _offset(self, address: int) -> int:
        for start, _, at, size in self._segments():
            if start <= address < start + size:
                return at + address - start
        raise AssertionError(f"nothing at {address:#x}")


def crc(data: bytes) -> int:
    """Return the CRC-32 that the RP2040's boot ROM computes, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def uf2(data: bytes, start: int, family: int = 0xE48BFF56) -> bytes:
    """Return a UF2 file."""
    pieces = [data[at : at + 256].ljust(256, b"\0") for at in range(0, len(data), 256)]
    blocks = []
    for number, piece in enumerate(pieces):
        words = (
            0x0A324655,
            0x9E5D5157,
            0x2000,
            start + 256 * number,
            256,
            number,
            len(pieces),
            family,
        )
        blocks.append(
            struct.pack("<8I", *words) + piece.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
        )
    return b"".join(blocks)
