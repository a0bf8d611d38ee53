"""The plan for pytest-xdist: a process for each attached board, boards side by side."""

import math
import os
import re
import sys
from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from modthread._boards import board_choice
from modthread.plugin import lanes
from modthread.plugin.board_item import FLEET, FailureText

CHECKS = 3  # processes of the lane check, for each processor


class BoardScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a process all tests of an attached board, or all tests of a file on another board.

    Each process has an emulated board of its own. A test that needs no board belongs to its file.
    The names of the tests decide, since the process that deals them out knows nothing else of them.
    (pytest-xdist 3.8.0 has groups by a mark, which pytest 9.2 ignores.)

    What takes longest is dealt out first, or one process alone would have it at the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        choices = self.config.stash[FLEET].boards
        longest_first = sorted(choices, key=len, reverse=True)
        names = "|".join(map(re.escape, longest_first))
        file = nodeid.partition("::")[0]
        match = re.search(rf"[\[-]({names})[-\]]", nodeid)
        if match is None:
            return file
        name = match[1]
        return f"{name} {file}" if choices[name].where is None else name

    def _assign_work_unit(self, node: WorkerController) -> None:
        scope = max(self.workqueue, key=self._weight)
        self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)

    def _weight(self, scope: str) -> tuple[float, int]:
        """Return what grows with the time of a scope: of a test, and the number of tests.

        An attached board has one scope; tests without a board run whole commands.
        """
        choice = self.config.stash[FLEET].boards.get(scope.partition(" ")[0])
        if choice is None:
            return math.inf, len(self.workqueue[scope])
        if choice.where is not None:
            return math.inf, sys.maxsize
        return choice.board.time_scale, len(self.workqueue[scope])


class BoardLines:
    """Says what runs on a board after its first test: here, no board is started."""

    def __init__(self, config: pytest.Config) -> None:
        """Write to the terminal that `config` has."""
        self._terminal = config.pluginmanager.get_plugin("terminalreporter")
        self._said: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look for what the test has noted of its board."""
        noted = dict(report.user_properties)
        board, firmware = noted.get("board"), noted.get("firmware")  # None: it did not start
        if firmware and board not in self._said and self._terminal:
            self._said.add(str(board))
            self._terminal.write(f"\nboard {board}: {firmware}\n")


def pytest_configure(config: pytest.Config) -> None:
    """Be known by the user's command, which a board's lock tells others."""
    if is_worker(config):
        sys.argv = config.workerinput["mainargv"]  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Take a process for each board, or for each processor where there are more.

    The tests of the lane check wait most of the time, and need no board.
    """
    if lanes.chosen(config.getoption("--lane")) == ("check",):
        return CHECKS * processors()
    chosen = config.getoption("--board") or board_choice.defaults(config.rootpath)
    return max(len(chosen), processors())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Any) -> None:
    """Refuse to let several processes share a board that is there only once."""
    dist = config.option.dist
    for name, chosen in config.stash[FLEET].boards.items():
        if chosen.where is not None and dist != "load":
            raise pytest.UsageError(f"{name} is for one process: leave out --dist {dist}")
    config.pluginmanager.register(BoardLines(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BoardScheduling | None:
    """Deal out the tests board by board, unless --dist asks for another way."""
    return BoardScheduling(config, log) if config.option.dist == "load" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Keep the gist of a failure apart: pytest sends only its text to another process."""
    report = yield
    if isinstance(report.longrepr, FailureText):
        report.gist = report.longrepr.message
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Put the two together again."""
    if isinstance(report.longrepr, str) and hasattr(report, "gist"):
        report.longrepr = FailureText(report.gist, report.longrepr)  # type: ignore[assignment]


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process runs a part of the tests for another one."""
    return hasattr(config, "workerinput")
