"""The command `check-board`: from a board on the desk to a verdict that can be sent in."""

import ast
import platform
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from modthread._base import progress, project
from modthread._bench.measure import times
from modthread._boards import boards, usb
from modthread._boards.boards import Board
from modthread._check_board import suite
from modthread._check_board.verdict import NOT_RUN, Reference, Verdict
from modthread._commands.run import EXIT_INTERRUPTED
from modthread._emulators.emulator import Emulator
from modthread._firmware import build
from modthread._flash.command import put
from modthread._flash.flasher import NotBackError
from modthread._reports import tracebacks
from modthread.device import Device
from modthread.errors import ModthreadError

ANSWER_LIMIT = 10.0  # seconds, before the board's time scale
SCRIPTS = ("single.py", "threads.py")
FACTS = """\
import gc, machine, os
gc.collect()
print((os.uname().machine, {revision}, machine.unique_id(), machine.freq(), gc.mem_free()))
"""
# What the chip's boot ROM says of its version: RP2040 datasheet, 2.8.
REVISIONS = {"rp2": "'boot ROM %d' % machine.mem8[0x13]"}


@dataclass
class Check:
    """A check of `board`; `kind` is its name for ``--board``, `port` its place.

    Without `port` it is the board that is attached or waits in its bootloader. The board may be in
    use for `wait` seconds. A `full` check takes half an hour of tests instead of minutes. A board
    with `patience` is emulated, and computes that many times slower.
    """

    board: Board
    kind: str
    port: str | None
    full: bool = False
    no_build: bool = False
    wait: float = 0.0
    patience: float = 1.0

    def run(self) -> int:
        """Print the verdict, leave it in a file, and return it as an exit status.

        Blocks for minutes. Raises ModthreadError where nothing could be written to a board.
        """
        verdict = Verdict(self.board.name, Reference.read(_reference(self.board)))
        status = self._take_steps(verdict)
        print(_saved(verdict), end="")
        progress.console().print(f"To send in: {tracebacks.shown(_page(self.board.name))}")
        return status

    def keep(self) -> int:
        """Check the emulated board, and keep what it does to compare real ones with.

        Returns the verdict as an exit status. Blocks for minutes.
        """
        config = self.board.emulator
        if config is None:
            raise ModthreadError(f"{self.board.name} is not emulated; leave --reference out")
        if not self.no_build:
            build.firmware(self.board)
        emulator = Emulator(self.board, config.test_icount)
        with ExitStack() as running:
            running.callback(emulator.stop)
            port = emulator.start()
            check = replace(self, port=port, no_build=True, patience=self.board.time_scale)
            verdict = Verdict(self.board.name, None)
            status = check._take_steps(verdict)
        print(verdict.markdown(), end="")
        if verdict.ended is None:
            tests = {test.name: test.outcome for test in verdict.tests}
            reference = Reference(verdict.facts["firmware"], tests, verdict.timings)
            reference.write(_reference(self.board))
        return status

    def _take_steps(self, verdict: Verdict) -> int:
        """Take one step after the other as far as they go; return the exit status."""
        try:
            port = self._flash(verdict)
        except NotBackError as error:
            verdict.facts["firmware"] = f"modthread {build.version()}"
            verdict.facts["image"] = f"CRC-32 {error.checksum:08x}; written"
            verdict.ended = str(error)
            return verdict.status
        log = _folder() / f"{self.board.name}.log"
        log.unlink(missing_ok=True)
        try:
            with closing(Device(self.board, port, wait=self.wait)) as device:
                with progress.step(f"Starting {self.board.name}"):
                    _boot(device, verdict)
                with progress.step(f"Measuring {self.board.name}") as show:
                    _measure(device, verdict, show)
            verdict.tests = suite.run(f"{self.kind}@{port}", self.full, log)
            _judge(verdict)
        except ModthreadError as error:
            verdict.ended = str(error).partition("\n")[0]
        except KeyboardInterrupt:
            verdict.tests = suite.results(log)
            verdict.ended = "interrupted"
            return EXIT_INTERRUPTED
        return verdict.status

    def _flash(self, verdict: Verdict) -> str:
        """Put the firmware there and return the board's port; raises ModthreadError."""
        verdict.facts["date"] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        verdict.facts["host"] = f"{platform.platform()}, Python {platform.python_version()}"
        outcome = put(
            self.board,
            self.port,
            no_build=self.no_build,
            wait=self.wait,
            patience=self.patience,
        )
        done = "written" if outcome.written else "was there already"
        verdict.facts["image"] = f"CRC-32 {outcome.checksum:08x}, as the board reads it; {done}"
        found = usb.at(outcome.port)
        verdict.facts["USB serial number"] = (found and found.serial_number) or "-"
        verdict.reached.append("flash")
        _saved(verdict)
        return outcome.port


def kind_of(text: str | None, board: Board) -> str:
    """Return what names the kind of `board` alone in `text`, which ``--board`` was given."""
    name = (text or "").partition("@")[0]
    return name if name and boards.is_known(name) else board.name


def _boot(device: Device, verdict: Verdict) -> None:
    """Start the board twice, and ask it what it is."""
    device.start()
    verdict.facts["firmware"] = device.info()
    started = time.monotonic()
    device.machine_reset()
    took = time.monotonic() - started
    revision = REVISIONS.get(device.board.port, "''")
    limit = ANSWER_LIMIT * device.board.time_scale
    result = device.run(FACTS.format(revision=revision), limit)
    if result.error:
        raise ModthreadError(
            f"the board cannot tell what it is: {tracebacks.last_line(result.error)}"
        )
    chip, revision, number, frequency, free = ast.literal_eval(tracebacks.text(result.output))
    verdict.facts["chip"] = ", ".join(filter(None, (chip, revision, f"id {number.hex()}")))
    verdict.facts["clock"] = f"{frequency / 1e6:g} MHz"
    verdict.facts["free memory"] = f"{free:,} bytes"
    verdict.facts["reset"] = f"{took:.1f} s until the prompt is there again"
    verdict.reached.append("boot")
    _saved(verdict)


def _measure(device: Device, verdict: Verdict, show: Callable[[str], None]) -> None:
    for script in SCRIPTS:
        show(script)
        device.clean_up()
        verdict.timings |= times(device, script)
    verdict.reached.append("timings")
    _saved(verdict)


def _judge(verdict: Verdict) -> None:
    if not verdict.tests:
        raise ModthreadError("pytest has run no test; its output above says why")
    for test in verdict.tests:
        if test.outcome == NOT_RUN:
            raise ModthreadError(test.reason)
    verdict.reached.append(f"{len(verdict.tests)} tests")
    verdict.ended = None


def _saved(verdict: Verdict) -> str:
    """Leave the verdict so far in its file, where it survives this process; return it."""
    text = verdict.markdown()
    _page(verdict.board).write_text(text)
    return text


def _page(name: str) -> Path:
    return _folder() / f"{name}.md"


def _reference(board: Board) -> Path:
    return boards.DIRECTORY / board.name / "reference.json"


def _folder() -> Path:
    folder = project.BUILD / "check"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
