"""Boards whose boot ROM takes UF2 images, as the RP2040's does."""

import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread._boards import usb
from modthread._boards.boards import FlashConfig
from modthread._boards.reservation import Reservation
from modthread._boards.usb import usb_of
from modthread._flash import bootloader, uf2
from modthread._flash.bootloader import HOLD_BOOTSEL, Waiting
from modthread._flash.flasher import ANSWER_LIMIT, POLL, Flasher, Outcome
from modthread._link.line import touch
from modthread.errors import ModthreadError

APPEAR_LIMIT = 3.0  # seconds: a run before may have sent the board into its bootloader just now
ENTER_LIMIT = 20.0  # seconds until a board is in its bootloader and a desktop has mounted its drive
BOOTLOADER_WAIT = 60.0  # seconds until another process has written to its board


@dataclass(frozen=True)
class Target:
    """The board to write to: on a serial port, or waiting in its bootloader already.

    `serial_number` is that of its USB, None where it is not known.
    """

    port: str | None = None
    serial_number: str | None = None
    waiting: Waiting | None = None


class Uf2Flasher(Flasher):
    """By picotool or through the bootloader's drive; files on the board stay."""

    IMAGE = "firmware.uf2"

    @property
    def chip(self) -> str:
        """The chip as MicroPython and picotool name it."""
        return self._config.chip

    @property
    def checksum(self) -> int:
        """CRC-32 of what the image leaves in flash."""
        return crc32(self._image.data)

    @property
    def remedy(self) -> str:
        """What to do where a board does not come back."""
        return HOLD_BOOTSEL

    def checksum_on_board(self) -> tuple[str, str]:
        """Read the flash where the chip maps it."""
        where = f"bytearray_at({self._config.rom.start}, {len(self._image.data)})"
        return "import binascii, uctypes", f"binascii.crc32(uctypes.{where})"

    def flash(self, port: str | None) -> Outcome:
        """Write the image to the one board that is meant, if need be."""
        assert self._image
        if port and "://" in port:
            raise ModthreadError(
                f"{port}: a {self._config.product} is written to over USB; "
                "flash it on the host that it is plugged into"
            )
        self.show("looking for the board")
        target = self._find(port)
        with ExitStack() as locks:
            if target.port:
                locks.enter_context(closing(Reservation(target.port, self.wait)))
            # All boards of a chip are alike there, so that this lock is of them all.
            waiting_boards = f"bootloader://{self.chip}"
            locks.enter_context(closing(Reservation(waiting_boards, self.wait + BOOTLOADER_WAIT)))
            if not target.waiting and (found := self._leave_micropython(target)):
                return found
            waiting = target.waiting or self._entered_bootloader(target)
            others = {info.device for info in list_ports.comports()}
            bootloader.write(self._image, self._config, waiting, self.show)
            return self.verify(lambda: self._returned(port, target.serial_number, others))

    @property
    def _config(self) -> FlashConfig:
        assert self.board.flash
        return self.board.flash

    @cached_property
    def _image(self) -> uf2.Image:
        return uf2.read(self.image, self.board, self._config)

    def _find(self, port: str | None) -> Target:
        """Return the one board that is meant; raises ModthreadError for none and for several."""
        deadline = time.monotonic() + APPEAR_LIMIT
        while True:
            waiting = bootloader.waiting(self._config)
            fitting = [Target(waiting=one) for one in waiting if one.fits]
            found = self._on_ports(port) + fitting
            if len(found) == 1:
                return found[0]
            if found:
                do = "unplug all but one" if fitting else "name the port of one"
                raise ModthreadError(f"{len(found)} boards: {', '.join(map(_name, found))}; {do}")
            if time.monotonic() > deadline:
                raise self._none_found(port, waiting)
            time.sleep(POLL)

    def _on_ports(self, port: str | None) -> list[Target]:
        if port is None:
            return [Target(info.device, info.serial_number) for info in self._ports()]
        if not Path(port).exists():
            return []
        found = usb.at(port)
        return [Target(port, found.serial_number if found else None)]

    def _none_found(self, port: str | None, waiting: list[Waiting]) -> ModthreadError:
        if bootloader.unmounted_drive(self._config).exists():
            return self._not_mounted()
        if waiting:
            return self._wrong_kind(waiting)
        devices = ", ".join(info.device for info in list_ports.comports()) or "none"
        where = f"{port}: no such port; connected: {devices}" if port else "no board found"
        return ModthreadError(f"{where}; plug in a {self._config.product}, or {HOLD_BOOTSEL}")

    def _not_mounted(self) -> ModthreadError:
        device = bootloader.unmounted_drive(self._config)
        return ModthreadError(
            f"the board is in its bootloader, but its drive {device.name} is not mounted; "
            f"run udisksctl mount -b {device}, or install picotool, and run this again"
        )

    def _wrong_kind(self, waiting: list[Waiting]) -> ModthreadError:
        names = ", ".join(one.name for one in waiting)
        return ModthreadError(
            f"{names}: not a {self._config.product}, nothing was written; name the right board"
        )

    def _ports(self) -> list[ListPortInfo]:
        return [info for info in list_ports.comports() if usb_of(info) == self._config.usb]

    def _entered_bootloader(self, target: Target) -> Waiting:
        """Return the board that was on a port, once it can be written to."""
        assert target.port is not None
        self.show("waiting for the bootloader")
        deadline = time.monotonic() + ENTER_LIMIT
        waiting: list[Waiting] = []
        fitting: list[Waiting] = []
        while time.monotonic() < deadline:
            waiting = bootloader.waiting(self._config)
            fitting = [one for one in waiting if one.fits]
            if len(fitting) == 1:
                return fitting[0]
            time.sleep(POLL)
        if len(fitting) > 1:
            names = ", ".join(one.name for one in fitting)
            raise ModthreadError(f"{len(fitting)} boards: {names}; unplug all but one")
        if waiting:
            raise self._wrong_kind(waiting)
        if not Path(target.port).exists():
            raise self._not_mounted()
        raise ModthreadError(
            f"the board on {target.port} did not enter its bootloader; {HOLD_BOOTSEL}"
        )

    def _leave_micropython(self, target: Target) -> Outcome | None:
        """Return what the board runs if that is the image, else start the bootloader.

        MicroPython starts it, or 1200 baud if MicroPython does not answer. Raises ModthreadError if
        the port is known to be of another kind of board.
        """
        port = target.port
        assert port is not None
        try:
            with self.session(port) as session:
                if self.machine(session, port):
                    if found := self.up_to_date(session, port):
                        return found
                    session.bootloader(ANSWER_LIMIT)
                    return None
            self._refuse_another_vendor(port)
            touch(port)
        except ModthreadError:
            # A run that was killed may have sent it into its bootloader just before.
            if Path(port).exists():
                raise
        return None

    def _refuse_another_vendor(self, port: str) -> None:
        """Keep 1200 baud away from other boards, whose bootloaders it may start, too."""
        found = usb.at(port)
        if found and found.usb and found.usb[:4] != self._config.usb[:4]:
            raise ModthreadError(
                f"{port} (USB {found.usb}) does not answer as MicroPython and is not a "
                f"{self._config.product}; nothing was written; name the right port"
            )

    def _returned(self, port: str | None, number: str | None, others: set[str]) -> str | None:
        """Return the port of the board that has been written to, once it has one."""
        for info in self._ports():
            if info.device not in others and number in (None, info.serial_number):
                return str(info.device)
        return port if port and port not in others and Path(port).exists() else None


def _name(target: Target) -> str:
    if target.waiting:
        return f"{target.waiting.name}, in its bootloader"
    return f"{target.port} (serial number {target.serial_number or 'unknown'})"
