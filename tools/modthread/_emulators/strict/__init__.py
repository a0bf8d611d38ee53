"""An RP2040 that refuses what the chip refuses: rp2040py's, with a processor and a bus of ours.

rp2040py forgives: it ignores the lowest bit of a branch's target, reads ones where no memory is,
and its peripherals are never in reset. A program that lives on that is dead on the chip.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from elftools.elf.elffile import ELFFile
from rp2040py.boards import BoardSpec
from rp2040py.device.base_device import BaseDevice
from rp2040py.rp2040 import RP2040
from rp2040py.simulator import Simulator

from modthread._emulators.strict.errors import FaultError, RefusedError
from modthread._reports import crash
from modthread.errors import ModthreadError

__all__ = ["RULES", "FaultError", "RefusedError", "Settings", "device", "run", "told"]

TURN = 0.005  # seconds: as long as rp2040py takes

RULES = {
    "thumb": "BX, BLX, POP, a vector or an exception's return to an even address or into ARM state,"
    " and a wrong EXC_RETURN",
    "aligned": "a word or halfword that is not aligned",
    "memory": "an access or a program where no memory is",
    "readonly": "a write to ROM, or to flash without the flash controller",
    "xip": "flash that is read or executed while the XIP controller does not serve it",
    "undefined": "an instruction that Armv6-M does not have, and BKPT",
    "stack": "a stack pointer that is not a multiple of 4",
    "masking": "SVC while it is masked; WFI and PRIMASK as Arm says",
    "priorities": "priorities of exceptions of more than two bits",
    "reset_state": "a peripheral that is in reset",
    "clocks_gated": "a peripheral without a clock, and a sleep that nothing can end",
    "unwritten": "(counted) a read of RAM that nobody has written since power-on",
}


@dataclass(frozen=True)
class Settings:
    """What is refused (a subset of RULES), and how the chip begins."""

    rules: frozenset[str] = frozenset(RULES)
    ram: int = 0  # the seed of what RAM holds at power-on
    takes_faults: bool = False  # the program's HardFault handler has them, as on the chip

    @classmethod
    def parse(cls, text: str) -> "Settings":
        """Return the settings that the option -strict asks for, or raise ModthreadError."""
        settings = cls()
        for part in text.split(",") if text != "on" else []:
            match part.split("="):
                case [rule, "off"] if rule in RULES:
                    settings = replace(settings, rules=settings.rules - {rule})
                case ["ram", seed] if seed.isdecimal():
                    settings = replace(settings, ram=int(seed))
                case ["hardfault", "taken"]:
                    settings = replace(settings, takes_faults=True)
                case _:
                    raise ModthreadError(
                        f"-strict {part!r}: on, off, ram=SEED, hardfault=taken or RULE=off;"
                        f" the rules are {', '.join(RULES)}"
                    )
        return settings


def device(board: BoardSpec, settings: Settings) -> BaseDevice:
    """Return a `board`, with its image in flash; raise ModthreadError where that cannot be."""
    try:
        from modthread._emulators.strict.chip import Chip
    except ImportError as error:
        raise ModthreadError(
            "the strict processor is not compiled for this Python; run make setup, outside a"
            " checkout modthread setup, or do with -strict off"
        ) from error
    chip = cast("type[RP2040]", partial(Chip, settings=settings))
    return BaseDevice(board=replace(board, mcu=chip))


def wire(device: BaseDevice, what: str) -> None:
    """Wire a device of modthread.peripherals to a bus, as in ``i2c0:0x3c=ssd1306``."""
    from modthread._emulators.strict.chip import Chip

    assert isinstance(device.mcu, Chip)
    device.mcu.wire(what)


def keep(device: BaseDevice, folder: Path) -> None:
    """Write what wired devices have kept into files of `folder`."""
    from modthread._emulators.strict.chip import Chip

    assert isinstance(device.mcu, Chip)
    device.mcu.keep(folder)


def run(simulator: Simulator) -> None:
    """Run the chip for a few milliseconds of the host's time, or until it is stopped."""
    from modthread._emulators.strict import core

    core.run(simulator, TURN)


def told(refused: RefusedError, device: BaseDevice) -> str:
    """Return `refused` as a line, with the place in the program where its ELF file is there."""
    from modthread._emulators.strict.chip import Chip

    assert isinstance(device.mcu, Chip)
    return f"{refused}, at {place(device.mcu.core.at, Path(str(device.board.image)))}"


def place(address: int, image: Path) -> str:
    """Return an instruction's address, with function and line where the ELF file is there."""
    elf = image.with_suffix(".elf")
    if elf.is_file() and ELFFile.load_from_path(str(elf)).has_dwarf_info():
        return crash.Firmware(elf).place(address)
    return f"{address:08x}"
