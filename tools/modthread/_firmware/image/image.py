"""The files of one build, as the rules see them, and what a rule says."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from modthread._firmware.image.chips import Chip, Memory
from modthread._firmware.image.elf import Elf

# As MicroPython's linker script has it from 1.26 on, and ours: ports/rp2/main.c.
FLASH_SIZE = ("__micropy_flash_size__", "__modthread_flash_size__")


class Fault(NamedTuple):
    """What is wrong, and what to do about it: each a clause of one line."""

    what: str
    remedy: str


def flash_size(elf: Elf) -> int | None:
    """Return the bytes of the board's flash that the firmware was built for, where it says it."""
    found = (elf.by_name.get(name) for name in FLASH_SIZE)
    return next((one.value for one in found if one), None)


@dataclass(frozen=True)
class Image:
    """A firmware for `chip`: its ELF file, and what lies beside it in the folder of its build.

    `flash_size` is the board's in bytes, where it is known: an image of ports/rp2 says it.
    """

    chip: Chip
    elf: Elf
    flash_size: int | None = None

    @classmethod
    def of(cls, chip: Chip, elf: Elf) -> Self:
        """Return the image with what its ELF file says."""
        return cls(chip, elf, flash_size(elf))

    def beside(self, *names: str) -> Path | None:
        """Return the first of these files that the folder has."""
        paths = (self.elf.path.with_name(name) for name in names)
        return next((path for path in paths if path.is_file()), None)

    @cached_property
    def map(self) -> str:
        """The linker's map, empty where there is none."""
        stem = self.elf.path.stem
        path = self.beside(f"{stem}.elf.map", f"{stem}.map", "micropython.map")
        return path.read_text(errors="replace") if path else ""

    @property
    def has_our_threads(self) -> bool:
        """Whether it is firmware with this _thread, and not a stock one."""
        return "gil_init" in self.elf.by_name

    def memory_at(self, address: int) -> Memory | None:
        """Return the chip's memory that `address` is in."""
        for one in self.chip.memories:
            if one.start <= address < one.end:
                return one
        return None

    def kind_at(self, address: int) -> str:
        """Return which kind of memory `address` is in, empty for none."""
        memory = self.memory_at(address)
        return memory.kind if memory else ""

    def value(self, symbol: str) -> int | None:
        """Return what the symbol is."""
        found = self.elf.by_name.get(symbol)
        return found.value if found else None
