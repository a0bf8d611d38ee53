"""A board that runs scripts, one after the other, each on a fresh start."""

import ast
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from modthread._base import project
from modthread._boards import labgrid, usb_power
from modthread._boards.boards import Board
from modthread._boards.reservation import Reservation
from modthread._emulators.emulator import Emulator
from modthread._emulators.forward import Forward
from modthread._link.session import (
    BoardError,
    BoardResetError,
    Consumer,
    LineLostError,
    Result,
    Session,
    TimeLimitError,
)
from modthread._link.traffic import TrafficLog
from modthread._reports import crash, timeline, tracebacks
from modthread._reports.timeline import Timeline
from modthread._reports.tracebacks import Thread
from modthread.errors import ModthreadError

ANSWER_LIMIT = 10.0  # seconds for what takes a healthy board on an idle host a fraction of one
REAPPEAR_LIMIT = 10.0  # seconds until the port of a board that was reset is back
REAPPEAR_POLL = 0.5
INFO = """\
import _thread, os
print((os.uname().version, _thread.__version__, _thread._kernel))
"""
# Older firmware, whose rows are shorter, does not tell what a thread waits for and who has that.
NOTES = """\
import _thread, sys, time
notes = _thread._interrupt_notes()
if notes: time.sleep_ms(50)
named = {one.ident: one for one in getattr(sys.modules.get('threading'), 'enumerate', list)()}
for thread, end in notes or [(thread, 0) for thread in _thread._threads()]:
    *numbers, function, awaited, owner = (tuple(thread) + (None, None))[:7]
    name = getattr(named.get(thread[0], function), 'name', None)
    kind = '' if awaited is None else type(awaited).__name__
    print('<<%r>>' % (numbers + [repr(function), name, kind, id(awaited), owner],))
    end and sys.print_exception(end)
"""
THREAD = re.compile(r"<<(\[\d+, '\w+', .*\])>>\n")
FUNCTION = re.compile(r"<function (\S+) at \w+>")
OUTERMOST = re.compile(r", line \d+, in (\S+)")


class DeadBoardError(BoardError):
    """Nothing brings the board back; nothing more can be run on it."""


class Device:
    """A board with its emulator, if it is emulated, and the session on its port.

    Limits are in seconds; None is unlimited.
    """

    def __init__(
        self,
        board: Board,
        port: str | None = None,
        icount: str | None = None,
        logs: Path = project.BUILD / "logs",
        wait: float = 0.0,
        may_flash: bool = False,
        boot_files: bool = True,
        forwards: Sequence[Forward] = (),
    ) -> None:
        """Prepare to reach `board` at `port`, or in its emulator if `port` is None.

        A board on a port is locked when it is started; it may be in use for `wait` seconds before.
        If nothing else brings the board back and `may_flash` is set, it is flashed again. boot.py
        does not run without `boot_files`, nor after somebody had to stop it by force. The host can
        connect to an emulated board as `forwards` say.
        """
        if port is None and board.emulator is None:
            raise ModthreadError(f"{board.name} is not emulated; name its port with --port")
        if port and forwards:
            raise ModthreadError(
                f"{port} is a board on a network of its own; --forward is for emulated ones"
            )
        self.board = board
        self._logs = logs
        self.dead: str | None = None
        self._version = ""
        self._port = port
        self._wait = wait
        self._may_flash = may_flash
        self._boot_files = boot_files
        self._hub_port: usb_power.HubPort | None = None
        self._lock: Reservation | None = None
        self._place: labgrid.Place | None = None
        self._emulator = None if port else Emulator(board, icount, forwards)
        self._session: Session | None = None
        self.why_not_soft = ""
        self._log = TrafficLog(logs / f"{board.name}.log")

    @property
    def session(self) -> Session:
        """The open session; the board must have been started."""
        assert self._session is not None
        return self._session

    @property
    def emulator(self) -> Emulator | None:
        """The emulator, or None for a board on a port."""
        return self._emulator

    @property
    def log(self) -> TrafficLog:
        """The log of the raw traffic."""
        return self._log

    def log_to(self, name: str) -> None:
        """Log to a new file from now on; `name` may be any text."""
        self._log.close()
        name = re.sub(r"[^\w.\[\]-]+", "_", name, flags=re.ASCII)[-200:]
        self._log = TrafficLog(self._logs / f"{name}.log")
        if self._session:
            self._session.log = self._log

    def start(self) -> None:
        """Boot the emulator or open the port, and wait for a freshly reset board."""
        if self._emulator:
            self._boot()
            self._soft_reset()
            return
        assert self._port is not None
        port = self._port
        if port.startswith(labgrid.PREFIX):
            self._place = labgrid.Place(port.removeprefix(labgrid.PREFIX))
            port = self._place.url
        self._lock = Reservation(port, self._wait)
        self._hub_port = usb_power.hub_port(port)
        self._session = self._opened(port)
        self.clean_up()

    def run(self, source: str, limit: float | None, consumer: Consumer | None = None) -> Result:
        """Run `source` on the board, which must be clean. Errors are those of Session.run()."""
        with self._told_by_their_causes():
            return self.session.run(source, limit, consumer)

    def follow(self, limit: float | None, consumer: Consumer | None = None) -> Result:
        """Wait for the end of a script that `session.begin()` has started."""
        with self._told_by_their_causes():
            return self.session.follow(limit, consumer)

    @contextmanager
    def _told_by_their_causes(self) -> Iterator[None]:
        try:
            yield
        except LineLostError as error:
            cause = self._emulator.cause_of_death() if self._emulator else None
            raise LineLostError(cause or str(error), error.output) from None
        except TimeLimitError as error:
            message = crash.message(error.output)
            raise (BoardResetError(message, error.output) if message else error) from None

    def interrupt(self, consumer: Consumer | None = None) -> Result:
        """Send Ctrl-C to the script that runs and return how it ended."""
        return self.session.interrupt(self._answer_limit, consumer)

    def threads(self) -> list[Thread]:
        """Return every thread of the board; where each is, too, if an interrupt() has noted it."""
        result = self.session.run_short(NOTES, self._answer_limit)
        if result.error:
            raise BoardError(f"the board cannot list its threads: {tracebacks.text(result.error)}")
        _, *notes = THREAD.split(tracebacks.text(result.output))
        return [
            _thread(traceback, *ast.literal_eval(about))
            for about, traceback in zip(notes[::2], notes[1::2], strict=True)
        ]

    def kept(self, name: str) -> bytes:
        """Return what a device has kept that is wired to the emulated board; blocks.

        `name` is where it is wired, and what it keeps: ``spi1.png``, ``i2c0-0x3c.png``,
        ``gpio14.csv``. Raises ModthreadError if there is no such device.
        """
        if self._emulator is None:
            raise ModthreadError(f"{self.board.name} is not emulated: look at what is wired to it")
        return self._emulator.kept(name)

    def timeline(self) -> Timeline | None:
        """Return what the board has recorded of its threads, None if it has recorded nothing.

        The recording begins with the last soft reset. After this call it stops until the next one.
        Raises ModthreadError if the board's firmware does not record.
        """
        with self._log.paused("the recording of its threads is not logged"):
            result = self.session.run_short(timeline.END, self._answer_limit)
            if not result.error:
                result = self.session.run_short(timeline.TAKE, self._answer_limit)
        if b"AttributeError" in result.error:
            raise ModthreadError(
                "this firmware records no threads; put one on the board that does with"
                f" modthread flash --trace --board {self.board.name}"
            )
        if result.error:
            raise BoardError(tracebacks.last_line(result.error))
        return timeline.timeline(self.board.name, tracebacks.text(result.output))

    def crash_report(self, output: bytes) -> str | None:
        """Return the crash that `output` tells of, if any, decoded with the board's firmware."""
        if not crash.message(output):
            return None
        return crash.decoded(output, self.board.firmware, self._version)

    def info(self) -> str:
        """Return which MicroPython, modthread and kernel run on the board, which must be clean.

        Raises ModthreadError if its firmware is without modthread.
        """
        result = self.run(INFO, self._answer_limit)
        if result.error:
            why = tracebacks.last_line(result.error)
            name = self.board.name
            raise ModthreadError(f"{name} runs no modthread ({why}); put it there with --flash")
        micropython, modthread, kernel = ast.literal_eval(result.output.decode())
        self._version = modthread
        return f"MicroPython {micropython}, modthread {modthread}, {kernel}"

    def machine_reset(self) -> None:
        """Reset the clean board by machine.reset() and make it clean again; it keeps its files."""
        self._machine_reset()
        deadline = time.monotonic() + self._answer_limit
        while True:
            try:
                self._soft_reset(self._answer_limit / 5)
                return
            except TimeLimitError:  # it was not up yet, and has not got what was sent
                if time.monotonic() > deadline:
                    raise

    def clean_up(self) -> bool:
        """Make the board clean for the next script, by the gentlest means that works.

        Returns whether a soft reset was enough; if not, `why_not_soft` says why. Raises
        DeadBoardError if no means works.
        """
        failures: list[str] = []
        for name, rung in self._rungs().items():
            self._log.note(name)
            try:
                with self._told_by_their_causes():
                    rung()
                    self._soft_reset()
            except ModthreadError as error:
                self._log.note(f"{name} failed: {error}")
                failures.append(f"{name}: {error}")
            else:
                self.why_not_soft = failures[0] if failures else ""
                return not failures
        self.close()
        self.dead = f"{self.board.name} is dead: {'; '.join(failures)}"
        raise DeadBoardError(self.dead)

    def release_port(self) -> str:
        """Leave the board at its prompt and return the port's name, for another program."""
        self.session.leave(self._answer_limit)
        self.session.close()
        return self.session.port

    def come_back(self) -> str:
        """Wait, without a limit, for a board on a port that is away; return the port it is on."""
        assert self._lock is not None
        while True:
            time.sleep(REAPPEAR_POLL)
            with suppress(ModthreadError):
                self._opened(self._lock.port).close()
                return self._lock.port

    def close(self) -> None:
        """Give back the port and end the emulator."""
        if self._session:
            self._session.close()
        if self._lock:
            self._lock.close()
        if self._place:
            self._place.release()
        if self._emulator:
            self._emulator.stop()
        self._log.close()

    @property
    def _answer_limit(self) -> float:
        return ANSWER_LIMIT * self.board.time_scale

    def _opened(self, port: str) -> Session:
        return Session(port, self._log, self.board.serial)

    def _soft_reset(self, limit: float | None = None) -> None:
        self.session.soft_reset(limit or self._answer_limit, self._boot_files)
        self.session.prepare(self._answer_limit)

    def _rungs(self) -> dict[str, Callable[[], None]]:
        """Return what may bring the board back, by name, the gentlest first."""
        if self._emulator:
            return {
                "soft reset": _nothing,
                "a flood of Ctrl-C": self._flood,
                "a start without boot.py": self._skip_boot_files,
                "restart of the emulator": self._boot,
            }
        rungs = {
            "soft reset": _nothing,
            "a flood of Ctrl-C": self._flood,
            "a start without boot.py": self._skip_boot_files,
            "opening the port again": self._reopen,
            "machine.reset()": self._machine_reset,
            "reset through RTS": self._pulse_reset,
        }
        if self._may_flash:
            rungs["flashing it again"] = self._flash
        if self._hub_port:
            rungs["switching its USB power"] = self._power_cycle
        return rungs

    def _boot(self) -> None:
        assert self._emulator is not None
        if self._session:
            self._session.close()
        self._session = self._opened(self._emulator.start())

    def _flood(self) -> None:
        """Stop a main.py that swallows Ctrl-C, or a boot.py for once.

        This is never the first means. A board makes its file system at its first start, and a soft
        reset has given it the time to end that.
        """
        self.session.flood(self._answer_limit)

    def _skip_boot_files(self) -> None:
        """Stop a boot.py that swallows Ctrl-C, and start without it from now on."""
        self.session.flood(self._answer_limit)
        self.session.soft_reset(self._answer_limit, boot_files=False)
        self._boot_files = False

    def _machine_reset(self) -> None:
        self.session.machine_reset(self._answer_limit)
        if self._port:
            self._reopen()

    def _pulse_reset(self) -> None:
        self.session.pulse_reset()
        self._reopen()

    def _flash(self) -> None:
        from modthread._flash import command as flash  # the last that is tried

        assert self._lock is not None
        self.session.close()
        outcome = flash.put(self.board, self._lock.port, no_build=True, always=True)
        self._session = self._opened(outcome.port)

    def _power_cycle(self) -> None:
        assert self._hub_port is not None
        self._hub_port.power_cycle()
        self._reopen()

    def _reopen(self) -> None:
        """Open the port again, which may be away while a board with USB of its own starts."""
        assert self._lock is not None
        self.session.close()
        deadline = time.monotonic() + REAPPEAR_LIMIT
        while True:
            time.sleep(REAPPEAR_POLL)
            try:
                self._session = self._opened(self._lock.port)
                return
            except ModthreadError:
                if time.monotonic() > deadline:
                    raise


def _thread(
    traceback: str,
    ident: int,
    state: str,
    stack: int,
    used: int,
    function: str,
    name: object,
    waits_for: str,
    address: int,
    owner: int | None,
) -> Thread:
    """Return a thread of what NOTES prints of it."""
    if function == "None":
        function = "main"
    elif isinstance(name, str):
        function = name
    elif named := FUNCTION.fullmatch(function) or OUTERMOST.search(traceback):
        function = named[1]  # a closure has no name of its own
    return Thread(ident, state, stack, used, function, traceback, waits_for, address, owner)


def _nothing() -> None:
    """Stand for what needs no more than the soft reset that follows every rung."""
