"""pytest items that run on a board."""

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from modthread._boards.board_choice import Choice
from modthread._link.session import BoardError, Result, TimeLimitError
from modthread._reports import crash, deadlock, tracebacks
from modthread._reports.tracebacks import Script
from modthread.device import Device
from modthread.errors import ModthreadError
from modthread.plugin.device_test import DeviceTest, DeviceTestFile, Mark
from modthread.plugin.fleet import Fleet

FLEET = pytest.StashKey[Fleet]()
CHOSEN = pytest.StashKey[dict[str, Choice]]()  # what each --board has chosen, at the start
TIMEOUT = 60.0  # seconds, where neither a mark nor --device-timeout says otherwise
OUTPUT_SHOWN = 8000  # characters, the last ones


class BoardTestFailure(Exception):  # noqa: N818 (a verdict, not an error)
    """A test failed on the board: the gist in a line, and all of it."""

    def __init__(self, message: str, text: str | None = None) -> None:
        super().__init__(text or message)
        self.message = message


class FailureText:
    """A failure as pytest wants it: with a message for the summary and for JUnit."""

    def __init__(self, message: str, text: str) -> None:
        self._text = text
        self.reprcrash = self
        self.message = message

    def __str__(self) -> str:
        return self._text

    def toterminal(self, terminal: Any) -> None:
        """Write the text, the lines that name an exception in red."""
        for line in self._text.splitlines():
            terminal.line(line, red=line.startswith("E "), bold=line.startswith("E "))


@contextmanager
def without_traceback() -> Iterator[None]:
    """Show trouble of a test's set-up or clean-up as an error without a traceback."""
    try:
        yield
    except ModthreadError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def note(item: pytest.Item, name: str, value: str) -> None:
    """Note a property of a test's result, in place of an earlier attempt's."""
    item.user_properties[:] = [(key, old) for key, old in item.user_properties if key != name]
    item.user_properties.append((name, value))


class BoardItem(pytest.Item):
    """A script that runs on a board: its limit, its log, what it leaves and how it is reported."""

    def __init__(self, *, board: str, script: Script, marks: Iterable[Mark] = (), **kw: Any):
        super().__init__(**kw)
        self.board = board
        self.script = script
        self.funcargs: dict[str, Any] = {}  # pytest-embedded looks in every item for its fixtures
        self._passed = False
        note(self, "board", board)
        for mark in marks:
            self.add_marker(getattr(pytest.mark, mark.name)(*mark.args, **mark.kwargs))

    @property
    def device(self) -> Device:
        """The board that the test runs on."""
        return self.config.stash[FLEET].device(self.board)

    @property
    def limit(self) -> float:
        """Seconds that the test may take: the mark's or --device-timeout's, on this board."""
        mark = self.get_closest_marker("device_timeout")
        limit = mark.args[0] if mark else self.config.getoption("--device-timeout")
        return float(limit) * self.device.board.time_scale

    def setup(self) -> None:
        """Take the board and start a log."""
        fleet = self.config.stash[FLEET]
        attempt = getattr(self, "execution_count", 1)  # pytest-rerunfailures counts them
        if attempt > 1:
            self._report_sections.clear()
            note(self, "attempt", str(attempt))
        with without_traceback():
            fleet.start(self.board)
            note(self, "firmware", fleet.info(self.board))
            self.device.log_to(f"{self.nodeid}-{attempt}" if attempt > 1 else self.nodeid)
            note(self, "log", tracebacks.shown(self.device.log.path))

    def runtest(self) -> None:
        """Run the script and judge what came of it."""
        self.check(self._run())
        self._passed = True

    def teardown(self) -> None:
        """Make the board clean: a test that leaves it beyond a soft reset has an error."""
        if self.config.stash[FLEET].is_usable(self.board):
            with without_traceback():
                soft = self.device.clean_up()
            self.config.stash[FLEET].pause(self.board)
            if self._passed and not soft:
                why = self.device.why_not_soft
                pytest.fail(f"no soft reset worked after the test: {why}", pytrace=False)

    def check(self, result: Result) -> None:
        """Raise BoardTestFailure where `result` is not what it should be."""
        raise NotImplementedError

    def source(self) -> str:
        """Return what is sent to the board."""
        raise NotImplementedError

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """Return what pytest shows of a failure, and add what helps to find its cause."""
        log = self.device.log
        self.add_report_section("call", "serial traffic", f"{log.path} ends with\n{log.tail()}")
        if isinstance(excinfo.value, BoardTestFailure):
            text = f"{excinfo.value}\nTo run it again: {reproduction(self)}"
            return FailureText(excinfo.value.message, text)
        return super().repr_failure(excinfo, *args)

    def _run(self) -> Result:
        try:
            result = self.device.run(self.source(), self.limit)
        except TimeLimitError as error:
            raise self._hang(error) from None
        except BoardError as error:
            printed, _ = crash.split(error.output)
            self._show_output(printed)
            raise BoardTestFailure(str(error), self.device.crash_report(error.output)) from None
        self._show_output(result.output)
        self._save_timeline()
        return result

    def _hang(self, error: TimeLimitError) -> BoardTestFailure:
        """Interrupt the script; tell where it was and what its threads did."""
        message = f"no end after {self.limit:g} s"
        lines = [message]
        output = error.output
        try:
            result = self.device.interrupt()
            output += result.output
            lines += ["Ctrl-C found the main thread here:"]
            lines += [self.script.failure(tracebacks.text(result.error))]
            threads = self.device.threads()
            found = deadlock.deadlocks(threads)
            message = lines[0] = ": ".join([message, *found])
            lines += [
                tracebacks.thread_places(threads, self.script),
                tracebacks.thread_table(threads),
                *deadlock.waits(threads),
                *found,
            ]
            self._save_timeline()
        except BoardError as unanswered:
            lines.append(f"Ctrl-C brought no answer: {unanswered}")
        self._show_output(output)
        return BoardTestFailure(message, "\n".join(filter(None, lines)))

    def _save_timeline(self) -> None:
        """Keep what the board has recorded of its threads beside the log, if it does."""
        if not self.device.board.traced:
            return
        try:
            timeline = self.device.timeline()
        except BoardError as error:  # no memory is left, for example
            self.device.log.note(f"no timeline: {error}")
            return
        if timeline:
            for suffix in (".svg", ".trace.json"):
                path = self.device.log.path.with_suffix(suffix)
                timeline.save(path)
                note(self, "trace", tracebacks.shown(path))

    def raised(self, traceback: bytes) -> BoardTestFailure:
        """Return the failure that an exception on the board is."""
        text = tracebacks.text(traceback)
        return BoardTestFailure(tracebacks.last_line(traceback), self.script.failure(text))

    def _show_output(self, output: bytes) -> None:
        text = self.script.translated(tracebacks.text(output))
        if len(text) > OUTPUT_SHOWN:
            text = f"... (the last {OUTPUT_SHOWN} characters)\n{text[-OUTPUT_SHOWN:]}"
        if text.strip():
            self.add_report_section("call", "stdout", text)


def reproduction(item: BoardItem) -> str:
    """Return the command that runs the test again, alone, on the same board."""
    config, here = item.config, item.config.invocation_params.dir
    folder = os.path.relpath(config.rootpath, here)
    words = ["pytest", item.nodeid if folder == "." else f"{folder}/{item.nodeid}"]
    if config.inipath:
        words += ["-c", os.path.relpath(config.inipath, here)]
    for text in config.getoption("--board") or []:
        if config.stash[CHOSEN][text] == config.stash[FLEET].boards[item.board]:
            words += ["--board", text]
    for option in ("--icount", "--device-timeout"):
        if (value := config.getoption(option)) not in (None, TIMEOUT):
            words += [option, str(value)]
    switches = ("--no-build", "--flash", "--thread-trace")
    words += [option for option in switches if config.getoption(option)]
    return shlex.join(words)


class DeviceFile(pytest.File):
    """A file of device tests, read without importing it."""

    def collect(self) -> Iterable["DeviceItem"]:
        """Yield one item per function, parameter set and board."""
        try:
            file = DeviceTestFile(self.path)
            tests = list(file.tests())
        except ModthreadError as error:
            raise self.CollectError(str(error)) from None
        for board, choice in self.config.stash[FLEET].boards.items():
            kind = choice.board.name
            for test in tests:
                if any(m.name == "boards" and kind not in m.args for m in test.marks):
                    continue
                name = f"{test.name}[{'-'.join((*test.ids, board))}]"
                yield DeviceItem.from_parent(
                    self, name=name, board=board, script=file.script, marks=test.marks, test=test
                )


class DeviceItem(BoardItem):
    """One function with one set of parameters on one board."""

    def __init__(self, *, test: DeviceTest, **kw: Any) -> None:
        super().__init__(**kw)
        self._test = test

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the function is."""
        return self.path, self._test.line - 1, self.name

    def source(self) -> str:
        """Return the file with this function only, and its call."""
        return self._test.source

    def check(self, result: Result) -> None:
        """Fail on an exception, in a thread too unless the expected output has it."""
        if result.error:
            raise self.raised(result.error)
        if result.exited:
            raise BoardTestFailure("SystemExit ended the test")
        output = self.script.translated(tracebacks.text(result.output))
        expected = self.get_closest_marker("expect_output")
        if expected and not re.search(expected.args[0], output, re.MULTILINE | re.DOTALL):
            raise BoardTestFailure(f"the output does not match {expected.args[0]!r}")
        if not expected and tracebacks.THREAD_DIED.search(output):
            raise BoardTestFailure("an exception ended a thread, see the output")
