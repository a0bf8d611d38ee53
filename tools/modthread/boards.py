"""The boards that can be built for and tested on: one folder each under boards/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from modthread import project
from modthread.errors import ModthreadError

DIRECTORY = project.ROOT / "boards"
DEFAULT = "MPS2_AN385"

Made = TypeVar("Made")


@dataclass(frozen=True)
class EmulatorConfig:
    """How a board is emulated: a command, and its option ``-icount``, which QEMU describes.

    ``{python}`` and ``{firmware}`` in the command stand for this Python and for the board's image.
    Device tests use `test_icount`; `icount` is for a person or a host test that looks on.
    `cycle_ns` is the length of the processor's cycle, if the emulator counts cycles.
    """

    command: tuple[str, ...]
    install: str
    icount: str = "off"
    test_icount: str | None = None
    cycle_ns: float | None = None


@dataclass(frozen=True)
class FlashConfig:
    """How a real board is found, whose boot ROM takes UF2 files on a drive.

    `product` is the name that a person knows. `chip` is its name in MicroPython and picotool. `usb`
    are MicroPython's vendor and product identifiers. `drive` is the drive's label and Board-ID.
    `family` is the UF2 family. The flash has `size` bytes from address `start` on.
    """

    product: str
    chip: str
    usb: str
    drive: str
    family: int
    start: int
    size: int


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
    in ``ports`` that is built for the board, and the emulator boots `firmware_file`.
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

    @property
    def directory(self) -> Path:
        """Where the board's firmware is built."""
        return project.BUILD / (f"{self.name}-trace" if self.traced else self.name)

    @property
    def usb(self) -> str | None:
        """The USB vendor and product identifiers that the board has while it runs MicroPython."""
        return self.flash.usb if self.flash else None

    @property
    def firmware(self) -> Path:
        """Where the build leaves the firmware with its symbols."""
        return self.directory / "firmware.elf"

    @property
    def image(self) -> Path:
        """Where the build leaves what the emulator boots."""
        return self.directory / self.firmware_file


def names() -> list[str]:
    """Return the names of all known boards."""
    return sorted(path.parent.name for path in DIRECTORY.glob("*/board.toml"))


def is_known(name: str) -> bool:
    """Return whether `name` is a board's or a folder with a board.toml."""
    try:
        return _table(name).is_file()
    except OSError as error:
        raise ModthreadError(
            f"{name}: {error.strerror}; name a board, or a folder with a board.toml"
        ) from None


def load(name: str) -> Board:
    """Read the board.toml of the board called `name`, or of the folder that `name` is.

    Raises ModthreadError that lists the known boards, or says what is wrong in the file.
    """
    path = _table(name)
    table = project.read_toml(path) if is_known(name) else None
    if table is None:
        raise ModthreadError(f"unknown board '{name}'; known boards: {', '.join(names())}")
    try:
        return _parse(path.parent.name, table)
    except TypeError as error:
        raise ModthreadError(f"{path}: {error}; correct it") from None


def _table(name: str) -> Path:
    folder = Path(name).resolve() if "/" in name else DIRECTORY / name
    return folder / "board.toml"


def _parse(name: str, table: dict[str, Any]) -> Board:
    kinds: dict[str, type[Any]] = {
        "emulator": EmulatorConfig,
        "flash": FlashConfig,
        "esptool": EsptoolConfig,
        "serial": SerialConfig,
    }
    parts = {key: _made(kind, table[key]) for key, kind in kinds.items() if key in table}
    return _made(Board, table | parts | {"name": name})


def _made(kind: type[Made], table: Any) -> Made:
    """Make a `kind` of a table; raises TypeError for a value that it cannot have."""
    if not isinstance(table, dict):
        raise TypeError(f"{table!r} is not a table")
    made = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})
    for name, hint in get_type_hints(kind).items():
        if not _fits(getattr(made, name), hint):
            raise TypeError(f"{name} cannot be {table[name]!r}")
    return made


def _fits(value: Any, hint: Any) -> bool:
    if hint == tuple[str, ...]:
        return isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return isinstance(value, hint | int if float in (hint, *get_args(hint)) else hint)
