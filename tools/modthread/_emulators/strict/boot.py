"""What two firmwares do to the chip's peripherals while they boot, compared.

``python -m modthread._emulators.strict.boot`` compares stock MicroPython and ours, as `modthread
firmware` has built them last: the same writes in the same order bring a chip up in the same way.
"""

import argparse
import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rp2040py.boards import BOARDS

from modthread._base import project
from modthread._boards import boards
from modthread._emulators import strict
from modthread._emulators.strict.chip import Chip
from modthread.errors import ModthreadError

INSTRUCTIONS = 50_000
CYCLE = 8.0  # ns
PAGE = 0x4000

# What brings a chip up: pico-sdk's hardware/regs/addressmap.h.
BLOCKS = {
    0x14000000: "XIP_CTRL",
    0x18000000: "XIP_SSI",
    0x40008000: "CLOCKS",
    0x4000C000: "RESETS",
    0x40010000: "PSM",
    0x40018000: "IO_QSPI",
    0x4001C000: "PADS_BANK0",
    0x40020000: "PADS_QSPI",
    0x40024000: "XOSC",
    0x40028000: "PLL_SYS",
    0x4002C000: "PLL_USB",
    0x40058000: "WATCHDOG",
    0x40060000: "ROSC",
    0x40064000: "VREG_AND_CHIP_RESET",
}
ALIASES = ("=", "^=", "|=", "&=~")  # datasheet, 2.1.2


@dataclass(frozen=True)
class Write:
    """A write to a register; two are equal wherever in the program they are."""

    block: str
    offset: int
    how: str
    value: int

    def __str__(self) -> str:
        return f"{self.block}+{self.offset:#05x} {self.how} {self.value:#010x}"


@dataclass(frozen=True)
class Boot:
    """What the firmware in `image` has done in its first instructions, the ROM's among them."""

    image: Path
    writes: list[Write]
    places: list[int]  # the instruction of each
    unwritten: dict[int, int]  # instruction: address in RAM that nobody has written

    def lines(self, sign: str, first: int, end: int) -> Iterator[str]:
        """Yield these writes, with where in the program they are."""
        for index in range(first, end):
            place = strict.place(self.places[index], self.image)
            yield f"{sign} {index:4} {self.writes[index]} at {place}"


def booted(image: Path, instructions: int = INSTRUCTIONS, ram: int = 0) -> Boot:
    """Boot `image` as a chip whose RAM holds what the seed `ram` makes; raise RefusedError."""
    device = strict.device(replace(BOARDS["pico"], image=image), strict.Settings(ram=ram))
    chip = device.mcu
    assert isinstance(chip, Chip)
    chip.writes = []
    while chip.core.instructions < instructions:
        if chip.core.waiting:
            chip.clock.tick(chip.clock.nanos_to_next_alarm)
        else:
            chip.clock.tick(chip.core.execute_instruction() * CYCLE)
    seen = [(pc, write) for pc, *rest in chip.writes if (write := _write(*rest))]
    places, writes = [pc for pc, _ in seen], [write for _, write in seen]
    return Boot(image, writes, places, dict(chip.first_reads))


def _write(address: int, value: int) -> Write | None:
    block = BLOCKS.get(address & ~(PAGE - 1))
    if not block:
        return None
    return Write(block, address & 0xFFF, ALIASES[address >> 12 & 3], value)


def differences(stock: Boot, ours: Boot) -> list[str]:
    """Return what `ours` writes otherwise, a line each, as diff does.

    That one has come further after as many instructions is none: it has less memory to clear.
    """
    matcher = difflib.SequenceMatcher(None, stock.writes, ours.writes, autojunk=False)
    lines: list[str] = []
    for tag, first, end, our_first, our_end in matcher.get_opcodes():
        behind = first == len(stock.writes) or our_first == len(ours.writes)
        if tag != "equal" and not behind:
            lines += stock.lines("-", first, end)
            lines += ours.lines("+", our_first, our_end)
    return lines


def main() -> int:
    """Parse the command line and compare; return 1 where there is a difference, 2 for an error."""
    parser = argparse.ArgumentParser(prog="modthread._emulators.strict.boot", description=__doc__)
    parser.add_argument("--instructions", type=int, default=INSTRUCTIONS, help="of each firmware")
    options = parser.parse_args()
    board = boards.load("RPI_PICO")
    images = [project.BUILD / f"{board.name}{kind}" / board.image.name for kind in ("-stock", "")]
    boots = []
    try:
        for image in images:
            if not image.is_file():
                command = project.command("firmware", board.name)
                raise ModthreadError(f"{image} is missing; run {command}")
            boots.append(booted(image, options.instructions))
    except (ModthreadError, strict.RefusedError) as error:
        print(f"modthread: {error}", file=sys.stderr)
        return 2
    lines = differences(*boots)
    print(*lines, sep="\n", end="\n" if lines else "")
    for boot in boots:
        print(f"{boot.image}: {len(boot.writes)} writes")
        for at, address in boot.unwritten.items():
            print(f"  {address:08x} is read unwritten at {strict.place(at, boot.image)}")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
