"""The boards that can be built for and tested on.

MicroPython says what most of them are: ``catalogue``. A folder under boards/ has what it does not
say, as the emulator.
"""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from modthread._base import project, sources
from modthread._boards import catalogue
from modthread._boards.catalogue import Definition
from modthread.errors import ModthreadError

DIRECTORY = project.ROOT / "boards"
DEFAULT = "MPS2_AN385"

Made = TypeVar("Made")


@dataclass(frozen=True)
class EmulatorConfig:
    """How a board is emulated: a command, and its option ``-icount``, which QEMU describes.

    ``{python}`` and ``{firmware}`` in the command stand for this Python and for the board's image,
    ``{kept}`` for a folder in which wired devices leave what they keep.
    Device tests use `test_icount`; `icount` is for a person or a host test that looks on.
    `cycle_ns` is the length of the processor's cycle, if the emulator counts cycles.

    A board with a network has a `forward`, which lets the host connect to a port of the board, with
    ``{host}`` and ``{board}`` for the two ports. `network` are the arguments where there are any,
    with ``{forwards}`` for all of them, between commas. `forwarded` are the board's ports that have
    one if nobody says which.

    `seed` are the arguments that give the board something random to begin with, with ``{seed}`` for
    the file where it is.
    """

    command: tuple[str, ...]
    install: str
    icount: str = "off"
    test_icount: str | None = None
    cycle_ns: float | None = None
    network: tuple[str, ...] = ()
    forward: str = ""
    forwarded: tuple[int, ...] = ()
    seed: tuple[str, ...] = ()


@dataclass(frozen=True)
class BootRom:
    """What a chip's boot ROM takes: UF2 files of a `family`, for its flash, on a drive.

    `drive` is the drive's label and Board-ID. The flash begins at `start`, and no board has more of
    it than `size` bytes.
    """

    drive: str
    family: int
    start: int
    size: int


# RP2040 datasheet, 2.8.4 and 2.6.3; RP2350 datasheet, 5.5 and 4.4.
BOOT_ROMS = {
    "RP2040": BootRom("RPI-RP2", 0xE48B_FF56, 0x1000_0000, 16 << 20),
    "RP2350": BootRom("RP2350", 0xE48B_FF59, 0x1000_0000, 16 << 20),
}


@dataclass(frozen=True)
class FlashConfig:
    """How a real board is found, whose boot ROM takes UF2 files on a drive.

    `product` is the name that a person knows. `chip` is its name in MicroPython and picotool. `usb`
    are MicroPython's vendor and product identifiers. `machines` are the names that MicroPython on
    it may have for the board, where they are known.
    """

    product: str
    chip: str = "RP2040"
    usb: str = catalogue.USB
    machines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.chip not in BOOT_ROMS:
            raise TypeError(f"chip is one of {', '.join(BOOT_ROMS)}, not {self.chip!r}")

    @property
    def rom(self) -> BootRom:
        """What follows from the chip."""
        return BOOT_ROMS[self.chip]


@dataclass(frozen=True)
class EsptoolConfig:
    """A board of the ESP32 family: `chip` as MicroPython names it, ``ESP32C3``.

    The chip starts at `offset` in flash, so a file with the whole flash begins there. `stub` says
    whether esptool's own loader runs. Without it the boot ROM's loader writes, which is slower.
    """

    chip: str
    offset: int
    stub: bool = True


@dataclass(frozen=True)
class SerialConfig:
    """The levels of two modem lines while a real board's port is open; opening raises both.

    Native USB needs `dtr`: MicroPython keeps what it prints until somebody listens.
    """

    dtr: bool = True
    rts: bool = True


BOTH_RAISED = SerialConfig()


@dataclass(frozen=True)
class Board:
    """One board; `time_scale` stretches every limit for a board slower than real time.

    The firmware of a `traced` board is another one, which records its threads. `port` is the folder
    in ``ports`` that is built for the board, and the emulator boots `firmware_file`. `definition`
    is MicroPython's, where that has one, and `variant` the one of its variants that is meant.
    """

    name: str
    description: str
    port: str = "qemu"
    firmware_file: str = "firmware.elf"
    time_scale: float = 1.0
    emulator: EmulatorConfig | None = None
    flash: FlashConfig | None = None
    esptool: EsptoolConfig | None = None
    serial: SerialConfig = BOTH_RAISED
    traced: bool = False
    definition: Definition | None = None
    variant: str = ""

    @property
    def micropython_name(self) -> str:
        """What MICROPY_BOARD is for it."""
        return self.name.removesuffix(f"-{self.variant}") if self.variant else self.name

    @property
    def is_described(self) -> bool:
        """Whether all is known that MicroPython says of it."""
        return self.port not in catalogue.PORTS or bool(self.flash or self.esptool)

    @property
    def directory(self) -> Path:
        """Where the board's firmware is built."""
        return project.BUILD / (f"{self.name}-trace" if self.traced else self.name)

    @property
    def usb(self) -> str | None:
        """The USB vendor and product identifiers that the board has while it runs MicroPython."""
        return self.flash.usb if self.flash else None

    def calls_itself(self, machine: str) -> bool:
        """Return whether ``os.uname().machine`` may be `machine` on it, as far as that is known."""
        known = self.flash.machines if self.flash else ()
        return not known or machine.rpartition(" with ")[0] in known

    @property
    def firmware(self) -> Path:
        """Where the build leaves the firmware with its symbols."""
        return self.directory / "firmware.elf"

    @property
    def image(self) -> Path:
        """Where the build leaves what the emulator boots."""
        return self.directory / self.firmware_file


class UnknownBoardError(ModthreadError):
    """No board has this name."""


@dataclass(frozen=True)
class _Found:
    """What there is about a board: its board.toml, or MicroPython's definition, or both."""

    name: str
    table: Path
    definition: Definition | None
    variant: str = ""


def names() -> list[str]:
    """Return the names of the boards in boards/, which are known without MicroPython."""
    return sorted(path.parent.name for path in DIRECTORY.glob("*/board.toml"))


def all_names() -> list[str]:
    """Return the names of all known boards, with MicroPython's where its source tree is there."""
    return sorted({*names(), *(one.name for one in definitions())})


def definitions() -> list[Definition]:
    """Return MicroPython's boards, none where its source tree is not there yet."""
    tree = sources.micropython_at_hand()
    return catalogue.definitions(tree) if tree else []


def by_usb() -> dict[str, tuple[str, ...]]:
    """Return the names of the boards with each pair of USB identifiers, those of boards/ first."""
    found: dict[str, tuple[str, ...]] = {}
    ours = {name: load(name).usb for name in names()}
    others = {
        one.name: one.usb
        for one in definitions()
        if one.name not in ours and catalogue.SUPPORTED.get(one.mcu()) == "rp2"
    }
    for name, usb in (ours | others).items():
        if usb:
            found[usb] = (*found.get(usb, ()), name)
    return found


def is_known(name: str) -> bool:
    """Return whether `name` is a board's, with or without a variant, or a folder of one."""
    return _find(name) is not None


def load(name: str) -> Board:
    """Return the board called `name`, as ``BOARD`` or ``BOARD-VARIANT``, or of a folder.

    A folder has a board.toml, or is one as MicroPython takes them in MICROPY_BOARD_DIR, or both.
    Raises UnknownBoardError; ModthreadError for a board whose chip has no threads, or says what is
    wrong in a file.
    """
    found = _find(name)
    if not found:
        raise UnknownBoardError(f"unknown board '{name}'; {suggestions(name)}")
    _refuse_unknown_variant(found)
    defined = {"name": found.name} | (_defined(found) if found.definition else {})
    table = project.read_toml(found.table) or {}
    try:
        return _parse(defined, table)
    except TypeError as error:
        raise ModthreadError(f"{found.table}: {error}; correct it") from None


def suggestions(name: str) -> str:
    """Return which boards may have been meant."""
    near = difflib.get_close_matches(name.upper(), all_names(), n=3)
    known = f"did you mean {' or '.join(near)}" if near else f"known boards: {', '.join(names())}"
    return f"{known}; modthread boards --all lists all"


def _find(name: str) -> _Found | None:
    """Return what there is about a board: the whole name may be one, or its end a variant."""
    if found := _at(name, name, ""):
        return found
    base, _, variant = name.rpartition("-")
    return _at(base, name, variant) if base and variant else None


def _at(base: str, name: str, variant: str) -> _Found | None:
    folder = Path(base).resolve() if "/" in base else DIRECTORY / base
    table = folder / "board.toml"
    try:
        is_table = table.is_file()
        definition = _definition(base, folder, is_table)
    except OSError as error:
        raise ModthreadError(
            f"{name}: {error.strerror}; name a board, or the folder of one"
        ) from None
    if not (is_table or definition):
        return None
    return _Found(
        f"{folder.name}-{variant}" if variant else folder.name, table, definition, variant
    )


def _definition(base: str, folder: Path, is_table: bool) -> Definition | None:
    """Return the folder's own definition, or MicroPython's of that name."""
    if "/" in base and catalogue.is_definition(folder):
        return Definition(folder)
    if "/" in base and not is_table:
        return None
    tree = sources.micropython_at_hand()
    return catalogue.find(tree, folder.name) if tree else None


def _refuse_unknown_variant(found: _Found) -> None:
    """Raise ModthreadError for a variant that MicroPython does not have."""
    known = found.definition.variants if found.definition else ()
    if found.variant and found.variant not in known:
        board = found.name.removesuffix(f"-{found.variant}")
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise ModthreadError(f"{board} has no variant {found.variant}; {has}")


def _defined(found: _Found) -> dict[str, Any]:
    """Return what MicroPython says of a board; raises ModthreadError where no threads run on it."""
    definition = found.definition
    assert definition
    mcu = definition.mcu(found.variant)
    if reason := catalogue.why_not(definition, found.variant):
        raise ModthreadError(f"{found.name}: {reason}; name another board")
    chip, port = catalogue.chip(mcu), catalogue.SUPPORTED[mcu]
    variant = f", {found.variant}" if found.variant else ""
    common = {
        "name": found.name,
        "description": f"{definition.product} with an {chip}{variant}",
        "port": port,
        "definition": definition,
        "variant": found.variant,
    }
    if port == "esp32":
        return common | {"esptool": EsptoolConfig(chip, definition.offset)}
    return common | {
        "flash": FlashConfig(definition.product, chip, definition.usb, definition.machines)
    }


def _parse(defined: dict[str, Any], table: dict[str, Any]) -> Board:
    kinds: dict[str, type[Any]] = {
        "emulator": EmulatorConfig,
        "flash": FlashConfig,
        "esptool": EsptoolConfig,
        "serial": SerialConfig,
    }
    parts = {key: made(kind, table[key]) for key, kind in kinds.items() if key in table}
    return made(Board, defined | table | parts | {"name": defined["name"]})


def made(kind: type[Made], table: Any) -> Made:
    """Make a `kind` of a table; raises TypeError for a value that it cannot have."""
    if not isinstance(table, dict):
        raise TypeError(f"{table!r} is not a table")
    one = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})
    for name, hint in get_type_hints(kind).items():
        if not _fits(getattr(one, name), hint):
            raise TypeError(f"{name} cannot be {table[name]!r}")
    return one


def _fits(value: Any, hint: Any) -> bool:
    if hint in (tuple[str, ...], tuple[int, ...]):
        (kind, _) = get_args(hint)
        return isinstance(value, tuple) and all(isinstance(one, kind) for one in value)
    return isinstance(value, hint | int if float in (hint, *get_args(hint)) else hint)
