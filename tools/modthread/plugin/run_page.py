"""A run as one HTML page: what ran on which board, and all of what failed."""

import platform
import re
import shlex
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import pytest

from modthread._boards.board_choice import Choice
from modthread._firmware import build
from modthread._firmware.sizes import Size
from modthread._reports.templates import template
from modthread.plugin.board_item import FLEET, FailureText

LOG_SHOWN, FAILED_LOG_SHOWN = 8_000, 64_000  # characters, the last ones
CONTEXT = 3  # lines of source before and after the one that failed
SLOWEST = 10
PLACE = re.compile(r"^(\S[^:\n]*):(\d+): in (\S+)$", re.MULTILINE)
FAILED = ("failed", "error")
ORDER = ("failed", "error", "flaky", "passed", "xpassed", "xfailed", "skipped")


class Page:
    """pytest's plugin that writes the page at the end of a run."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        """Write to `path`."""
        self._config = config
        self._path = path
        self._results: dict[str, Result] = {}
        self._started = time.time()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what one phase of a test has come to."""
        category, *_ = self._config.hook.pytest_report_teststatus(
            report=report, config=self._config
        )
        result = self._results.setdefault(report.nodeid, Result(report.nodeid))
        if report.when == "setup" or not result.attempts:
            result.attempts.append(Attempt())
        result.attempts[-1].add(report, category)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        if report.failed:
            result = self._results.setdefault(report.nodeid, Result(report.nodeid, [Attempt()]))
            result.attempts[-1].add(report, "error")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self._html(), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it is."""
        terminalreporter.write_sep("-", f"generated report page: {self._path}")

    def _html(self) -> str:
        # Boards by name, and then what needs none; the tests of each as they were run.
        by_board = attrgetter("board")
        results = sorted(self._results.values(), key=lambda one: (not one.board, one.board))
        return template("page.html").render(
            boards=[self._board(name, list(ran)) for name, ran in groupby(results, by_board)],
            failures=[result for result in results if result.outcome in FAILED],
            flaky=[result for result in results if result.outcome == "flaky"],
            slowest=sorted(results, key=lambda result: -result.duration)[:SLOWEST],
            counts=_counts(results),
            took=_duration(time.time() - self._started),
            started=datetime.fromtimestamp(self._started).astimezone(),
            command=shlex.join(["pytest", *self._config.invocation_params.args]),
            host=f"{platform.node()}, {platform.platform(terse=True)}",
            python=platform.python_version(),
            version=build.version(),
            duration=_duration,
        )

    def _board(self, name: str, results: list["Result"]) -> "BoardRun":
        fleet = self._config.stash[FLEET]
        chosen = fleet.boards.get(name)
        if chosen:
            chosen = replace(chosen, board=replace(chosen.board, traced=fleet.traced))
        return BoardRun(name, results, chosen)


@dataclass
class Attempt:
    """One go at a test."""

    outcome: str = "passed"
    gist: str = ""
    text: str = ""
    duration: float = 0.0
    sections: list[tuple[str, str]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)

    def add(self, phase: pytest.TestReport | pytest.CollectReport, category: str) -> None:
        """Take in what one of its phases has come to, `category` as pytest has it."""
        self.duration += getattr(phase, "duration", 0)
        self.sections = phase.sections
        self.properties |= {key: str(value) for key, value in getattr(phase, "user_properties", [])}
        if category in ("", "passed") or self.outcome in FAILED:
            return
        self.outcome = category
        if phase.longrepr:
            self.text = str(phase.longrepr)
            self.gist = _gist(phase)

    @property
    def place(self) -> "Place | None":
        """Where in the host's files it failed: what pytest writes before the exception."""
        found = PLACE.findall(self.text.partition("\nE ")[0])
        places = (Place(Path(path), int(line), name) for path, line, name in reversed(found))
        return next((place for place in places if place.lines), None)

    @cached_property
    def log(self) -> "Log | None":
        """The traffic of the serial line."""
        limit = LOG_SHOWN if self.outcome == "passed" else FAILED_LOG_SHOWN
        return _log(self.properties.get("log"), limit)

    @property
    def timeline(self) -> str:
        """A picture of what the threads did."""
        path = self.properties.get("trace")
        picture = path and Path(path.removesuffix(".trace.json") + ".svg")
        return picture.read_text() if picture and picture.is_file() else ""


@dataclass
class Result:
    """A test and all its attempts."""

    nodeid: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def last(self) -> Attempt:
        """The attempt that counts."""
        return self.attempts[-1]

    @property
    def outcome(self) -> str:
        """pytest's word, or ``flaky`` for what has passed after it has failed."""
        passed = self.last.outcome == "passed"
        return "flaky" if passed and len(self.attempts) > 1 else self.last.outcome

    @property
    def duration(self) -> float:
        """Seconds."""
        return sum(attempt.duration for attempt in self.attempts)

    @property
    def file(self) -> str:
        """The file that the test is in."""
        return self.nodeid.partition("::")[0]

    @property
    def name(self) -> str:
        """The test's name in its file."""
        return self.nodeid.partition("::")[2] or self.nodeid

    @property
    def board(self) -> str:
        """The board that it ran on, or nothing."""
        return self.last.properties.get("board", "")


@dataclass(frozen=True)
class Place:
    """A line of a file on the host."""

    path: Path
    line: int
    function: str

    @cached_property
    def lines(self) -> list[tuple[int, str]]:
        """Those around it, with their numbers; none where the file is not there."""
        try:
            text = self.path.read_text(errors="replace").splitlines()
        except OSError:
            return []
        first = max(self.line - CONTEXT, 1)
        shown = text[first - 1 : self.line + CONTEXT]
        return list(enumerate(shown, first)) if self.line <= len(text) else []


@dataclass(frozen=True)
class Log:
    """A file, and the end of what is in it."""

    path: str
    size: int
    text: str
    whole: bool


@dataclass(frozen=True)
class BoardRun:
    """What ran on one board, or on none."""

    name: str
    results: list[Result]
    chosen: Choice | None

    @property
    def firmware(self) -> list[str]:
        """What runs on it: MicroPython, modthread, kernel."""
        told = next((one.last.properties.get("firmware") for one in self.results), None)
        return told.split(", ") if told else []

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many tests have come to what."""
        return _counts(self.results)

    @property
    def duration(self) -> float:
        """Seconds."""
        return sum(result.duration for result in self.results)

    @property
    def files(self) -> list[tuple[str, list[Result]]]:
        """The tests by the files that they are in."""
        by_file = attrgetter("file")
        files = groupby(sorted(self.results, key=by_file), by_file)
        return [(name, list(results)) for name, results in files]

    @property
    def size(self) -> Size | None:
        """What its firmware occupies, where the host has the file."""
        elf = self.chosen.board.firmware if self.chosen else None
        return build.size(elf) if elf and elf.is_file() else None


def _counts(results: Iterable[Result]) -> list[tuple[str, int]]:
    counts = Counter(result.outcome for result in results)
    return sorted(counts.items(), key=lambda item: (*ORDER, item[0]).index(item[0]))


def _gist(phase: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(phase.longrepr, tuple):  # of a test that was skipped: file, line, reason
        return phase.longrepr[2]
    if isinstance(phase.longrepr, FailureText):
        return phase.longrepr.message
    crash = getattr(phase.longrepr, "reprcrash", None)
    return (crash.message if crash else str(phase.longrepr)).strip().partition("\n")[0]


def _log(path: str | None, limit: int) -> Log | None:
    if not path or not Path(path).is_file():
        return None
    text = Path(path).read_text(errors="replace")
    return Log(path, len(text), text[-limit:], len(text) <= limit)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
