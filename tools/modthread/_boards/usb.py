"""The boards that are attached, as USB describes them: this opens no port."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread._boards import boards


@dataclass(frozen=True)
class Attached:
    """A serial port and the board on it.

    `usb` are the vendor and product identifiers, ``2e8a:0005``. `identity` stays the same wherever
    the board reappears: it is the serial number, unless another board has the same one, as with
    cheap USB bridges. `location` is the USB socket as Linux names it, ``1-1.4``, or empty.
    """

    port: str
    usb: str | None
    serial_number: str | None
    description: str
    identity: str
    location: str = ""

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The known boards with its identifiers, those of boards/ first: dozens may share them.

        This reads MicroPython's definitions; who waits for a board to come back does not ask.
        """
        return boards.by_usb().get(self.usb or "", ())

    @property
    def is_known_by_serial_number(self) -> bool:
        """Whether the serial number is this board's alone."""
        return self.serial_number == self.identity

    def __str__(self) -> str:
        number = f" (serial number {self.serial_number})" if self.serial_number else ""
        return f"{self.port}{number}"


def attached() -> list[Attached]:
    """Return what is on the serial ports of this host."""
    infos = sorted(list_ports.comports())
    return [
        Attached(
            port=info.device,
            usb=usb_of(info),
            serial_number=info.serial_number,
            description=info.product or "a serial port",
            identity=_identity(info, infos),
            location=(info.location or "").partition(":")[0],
        )
        for info in infos
    ]


def at(port: str) -> Attached | None:
    """Return what is on `port`, None where USB does not know it: a URL, for example."""
    if "://" in port:
        return None
    path = Path(port).resolve()
    return next((one for one in attached() if Path(one.port).resolve() == path), None)


def identity(port: str) -> str:
    """Return by what the board on `port` is known: serial number, real path of the port, or URL."""
    if board := at(port):
        return board.identity
    return port if "://" in port else str(Path(port).resolve())


def port_of(identity: str, port: str) -> str:
    """Return where the board known by `identity` is now: on `port`, where USB does not tell."""
    found = (one.port for one in attached() if one.identity == identity)
    return next(found, port)


def _identity(info: ListPortInfo, infos: Iterable[ListPortInfo]) -> str:
    if not info.serial_number:
        return str(Path(info.device).resolve())
    places = {_place(other) for other in infos if other.serial_number == info.serial_number}
    return str(info.serial_number if len(places) == 1 else _place(info))


def _place(info: ListPortInfo) -> str:
    """Return the USB socket; a board with two ports has both behind the same one."""
    location: str = info.location or info.device
    return location.partition(":")[0]


def usb_of(info: ListPortInfo) -> str | None:
    """Return vendor and product identifier, None where the port is not on USB."""
    return None if info.vid is None else f"{info.vid:04x}:{info.pid:04x}"
