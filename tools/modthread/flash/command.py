"""The command `flash`: from a board on the desk to one that is known to run the firmware."""

import ast
import time
import zlib
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread import boards, build, progress, project
from modthread.boards import Board, FlashConfig
from modthread.errors import ModthreadError
from modthread.flash import bootloader, uf2
from modthread.flash.bootloader import Show, Waiting
from modthread.flash.uf2 import Image
from modthread.line import touch
from modthread.lock import BoardLock
from modthread.session import BoardError, Session
from modthread.traffic import TrafficLog

ANSWER_LIMIT = 5.0  # seconds for an answer of MicroPython
ENTER_LIMIT = 20.0  # seconds until a board is in its bootloader and a desktop has mounted its drive
BOOTLOADER_WAIT = 60.0  # seconds until another process has written to its board
RETURN_LIMIT = 20.0  # seconds until a board that has been written to answers
POLL = 0.3
HOLD_BOOTSEL = "hold BOOTSEL while you plug it in, and run this again"
MACHINE = "__import__('os').uname().machine"
# What is in flash, not only its version: two builds of changed sources may have the same.
RUNNING = """\
(getattr(__import__('_thread'), '__version__', None),
__import__('binascii').crc32(__import__('uctypes').bytearray_at({start}, {size})))"""


@dataclass(frozen=True)
class Target:
    """The board to write to: on a serial port, or waiting in its bootloader already.

    `serial_number` is that of its USB, None where it is not known.
    """

    port: str | None = None
    serial_number: str | None = None
    waiting: Waiting | None = None


def flash(board: Board, port: str | None, no_build: bool, wait: float = 0.0) -> int:
    """Build, put the firmware on the board that is connected, and make sure that it runs.

    Blocks for about a minute at most, and `wait` where the board is in use. Raises
    ModthreadError.
    """
    config = _config(board)
    if not no_build:
        build.firmware(board)
    image = uf2.read(board.firmware.with_suffix(".uf2"), board, config)
    log = TrafficLog(project.BUILD / f"logs/{board.name}-flash.log")
    with closing(log), progress.step(f"Flashing {board.name}") as show:
        version, port = _Flasher(board, config, image, log, show, wait).flash(port)
    print(f"{board.name} on {port} runs modthread {version}")
    return 0


def _config(board: Board) -> FlashConfig:
    if board.flash:
        return board.flash
    others = [name for name in boards.names() if boards.load(name).flash]
    why = "is emulated and needs no flashing" if board.emulator else "has no [flash] in board.toml"
    raise ModthreadError(f"{board.name} {why}; BOARD= may be: {', '.join(others) or 'none'}")


@dataclass
class _Flasher:
    """What the steps of one command share."""

    board: Board
    config: FlashConfig
    image: Image
    log: TrafficLog
    show: Show
    wait: float

    def flash(self, port: str | None) -> tuple[str, str]:
        """Write the image; return the version that the board then runs, and its port."""
        self.show("looking for the board")
        target = self._find(port)
        with ExitStack() as locks:
            if target.port:
                locks.enter_context(closing(BoardLock(target.port, self.wait)))
            # All boards of a chip are alike there, so that this lock is of them all.
            waiting_boards = f"bootloader://{self.config.chip}"
            locks.enter_context(closing(BoardLock(waiting_boards, self.wait + BOOTLOADER_WAIT)))
            waiting = target.waiting or self._enter_bootloader(target)
            others = {info.device for info in list_ports.comports()}
            bootloader.write(self.image, self.config, waiting, self.show)
            self.show("waiting for the board to answer")
            return self._verify(lambda: self._returned(port, target.serial_number, others))

    def _find(self, port: str | None) -> Target:
        """Return the one board that is meant; raises ModthreadError for none and for several."""
        waiting = bootloader.waiting(self.config)
        fitting = [Target(waiting=one) for one in waiting if one.fits]
        if port and _is_there(port):
            info = next((i for i in list_ports.comports() if _same(i.device, port)), None)
            ports = [Target(port, info and info.serial_number)]
        else:
            known = [] if port else self._ports()
            ports = [Target(info.device, info.serial_number) for info in known]
        found = ports + fitting
        if len(found) == 1:
            return found[0]
        if found:
            do = "unplug all but one" if fitting else "name one with PORT="
            raise ModthreadError(f"{len(found)} boards: {', '.join(map(_name, found))}; {do}")
        raise self._none_found(port, waiting)

    def _none_found(self, port: str | None, waiting: list[Waiting]) -> ModthreadError:
        if bootloader.unmounted_drive(self.config).exists():
            return self._not_mounted()
        if waiting:
            return self._wrong_kind(waiting)
        devices = ", ".join(info.device for info in list_ports.comports()) or "none"
        where = f"{port}: no such port; connected: {devices}" if port else "no board found"
        return ModthreadError(f"{where}; plug in a {self.config.product}, or {HOLD_BOOTSEL}")

    def _not_mounted(self) -> ModthreadError:
        device = bootloader.unmounted_drive(self.config)
        return ModthreadError(
            f"the board is in its bootloader, but its drive {self.config.drive} is not mounted; "
            f"run udisksctl mount -b {device}, or install picotool, and run this again"
        )

    def _wrong_kind(self, waiting: list[Waiting]) -> ModthreadError:
        names = ", ".join(one.name for one in waiting)
        return ModthreadError(
            f"{names}: not a {self.config.product}, nothing was written; name the right BOARD="
        )

    def _ports(self) -> list[ListPortInfo]:
        return [info for info in list_ports.comports() if _usb(info) == self.config.usb]

    def _enter_bootloader(self, target: Target) -> Waiting:
        """Bring the board on a port into its bootloader, and wait until it can be written to."""
        assert target.port is not None
        self._leave_micropython(target.port)
        self.show("waiting for the bootloader")
        deadline = time.monotonic() + ENTER_LIMIT
        waiting: list[Waiting] = []
        fitting: list[Waiting] = []
        while time.monotonic() < deadline:
            waiting = bootloader.waiting(self.config)
            fitting = [one for one in waiting if one.fits]
            if len(fitting) == 1:
                return fitting[0]
            time.sleep(POLL)
        if len(fitting) > 1:
            names = ", ".join(one.name for one in fitting)
            raise ModthreadError(f"{len(fitting)} boards: {names}; unplug all but one")
        if waiting:
            raise self._wrong_kind(waiting)
        if not _is_there(target.port):
            raise self._not_mounted()
        raise ModthreadError(
            f"the board on {target.port} did not enter its bootloader; {HOLD_BOOTSEL}"
        )

    def _leave_micropython(self, port: str) -> None:
        """Start the bootloader by MicroPython, or by 1200 baud where that does not answer.

        Raises ModthreadError where the port is known to be of another kind of board.
        """
        with closing(Session(port, self.log)) as session:
            try:
                session.interrupt_all(ANSWER_LIMIT)
                machine = str(ast.literal_eval(session.ask(MACHINE, ANSWER_LIMIT)))
            except BoardError as error:
                self.log.note(f"no MicroPython: {error}")
            else:
                if not machine.endswith(f" with {self.config.chip}"):
                    raise ModthreadError(
                        f"{port} is a {machine}, {self.board.name} needs {self.config.chip}; "
                        "nothing was written; name the right BOARD= or PORT="
                    )
                session.bootloader(ANSWER_LIMIT)
                return
        self._refuse_another_vendor(port)
        touch(port)

    def _refuse_another_vendor(self, port: str) -> None:
        """Keep 1200 baud away from other boards, whose bootloaders it may start, too."""
        for info in list_ports.comports():
            usb = _usb(info)
            if _same(info.device, port) and usb and usb[:4] != self.config.usb[:4]:
                raise ModthreadError(
                    f"{port} (USB {usb}) answers not as MicroPython and is no "
                    f"{self.config.product}; nothing was written; name the right PORT="
                )

    def _returned(self, port: str | None, number: str | None, others: set[str]) -> str | None:
        """Return the port of the board that has been written to, once it has one."""
        for info in self._ports():
            if info.device not in others and number in (None, info.serial_number):
                return str(info.device)
        return port if port and port not in others and _is_there(port) else None

    def _verify(self, find: Callable[[], str | None]) -> tuple[str, str]:
        """Ask the board what it runs until it answers; `find` returns its port if it has one."""
        failure = "its serial port did not come back"
        deadline = time.monotonic() + RETURN_LIMIT
        while time.monotonic() < deadline:
            time.sleep(POLL)
            if port := find():
                try:
                    return self._running(port), port
                except _DiffersError:
                    raise
                except ModthreadError as error:  # not ready yet
                    failure = str(error)
        raise ModthreadError(
            f"the firmware is written, but the board does not answer: {failure}; {HOLD_BOOTSEL}"
        )

    def _running(self, port: str) -> str:
        """Return the version that runs on the board, which must be that of the image."""
        expression = RUNNING.format(start=self.config.start, size=len(self.image.data))
        with closing(Session(port, self.log)) as session:
            session.interrupt_all(ANSWER_LIMIT)
            version, checksum = ast.literal_eval(session.ask(expression, ANSWER_LIMIT))
        if checksum == zlib.crc32(self.image.data):
            return str(version)
        runs = f"modthread {version}" if version else "no modthread"
        raise _DiffersError(
            f"the board on {port} runs {runs} and not {self.image.path}: "
            f"what is in its flash differs; {HOLD_BOOTSEL}"
        )


class _DiffersError(ModthreadError):
    """The board answers, but does not run what was written."""


def _is_there(port: str) -> bool:
    return "://" in port or Path(port).exists()


def _same(device: str, port: str) -> bool:
    return device == port or Path(device).resolve() == Path(port).resolve()


def _usb(info: ListPortInfo) -> str | None:
    return None if info.vid is None else f"{info.vid:04x}:{info.pid:04x}"


def _name(target: Target) -> str:
    if target.waiting:
        return f"{target.waiting.name}, in its bootloader"
    return f"{target.port} (serial number {target.serial_number or 'unknown'})"
