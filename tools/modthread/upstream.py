"""MicroPython's own tests: run as they are, compared with their expected output."""

import difflib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from modthread import report, sources
from modthread.collect import Mark
from modthread.errors import ModthreadError
from modthread.items import FLEET, BoardItem, BoardTestFailure
from modthread.report import Script
from modthread.session import Result

CPYTHON_LIMIT = 300.0  # seconds


class UpstreamFile(pytest.File):
    """A table that names a folder of MicroPython's tests, and what is expected to differ."""

    def collect(self) -> Iterable["UpstreamItem"]:
        """Yield one item per file of the folder and board."""
        settings = tomllib.loads(self.path.read_text())
        try:
            folder = sources.micropython() / settings["folder"]
        except ModthreadError as error:
            raise self.CollectError(str(error)) from None
        paths = sorted(folder.glob("*.py"))
        deviations, timeouts = settings.get("deviations", {}), settings.get("timeouts", {})
        lanes = settings.get("lanes", {})
        if unknown := {*deviations, *timeouts, *lanes} - {path.name for path in paths}:
            raise self.CollectError(f"{self.path}: {folder} has no {', '.join(unknown)}")
        for board in self.config.stash[FLEET].boards:
            for path in paths:
                limit = timeouts.get(path.name)
                marks = [Mark("device_timeout", (limit,))] if limit else []
                marks += [Mark("lane", tuple(lanes[path.name]))] if path.name in lanes else []
                yield UpstreamItem.from_parent(
                    self,
                    name=f"{path.name}[{board}]",
                    board=board,
                    script=Script(path, path.read_text()),
                    marks=marks,
                    deviation=deviations.get(path.name),
                )


class UpstreamItem(BoardItem):
    """One of MicroPython's test files on one board."""

    def __init__(self, *, deviation: dict[str, str] | None, **kw: Any) -> None:
        super().__init__(**kw)
        self._deviation = deviation

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the test is."""
        return self.script.path, 0, self.name

    def source(self) -> str:
        """Return the file as it is."""
        return self.script.text

    def check(self, result: Result) -> None:
        """Compare with the recorded deviation if there is one, else with the expected output."""
        output = report.text(result.output)
        error = report.last_line(result.error)
        if self._deviation:
            _compare(self._deviation["output"], output)
            if error != self._deviation["exception"]:
                raise BoardTestFailure(
                    f"recorded deviation: expected {self._deviation['exception']!r}, got {error!r}"
                )
            return
        if result.error:
            raise self.raised(result.error)
        if output.endswith("SKIP\n"):
            raise BoardTestFailure("the test skipped itself: the board lacks what it needs")
        _compare(_expected(self.script.path), output)


def _expected(path: Path) -> str:
    """Return what the test should print: its .exp file, or what CPython prints. Blocks."""
    recorded = path.with_name(path.name + ".exp")
    if recorded.is_file():
        return recorded.read_text()
    command = [sys.executable, "-BS", str(path)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=CPYTHON_LIMIT, cwd=path.parent, check=False
    )
    if result.returncode != 0:
        raise BoardTestFailure(f"{path.name} fails in CPython too: {result.stderr}")
    return result.stdout


def _compare(expected: str, output: str) -> None:
    """Raise BoardTestFailure unless `output` is what is expected, line by line."""
    wanted, printed = expected.splitlines(), output.splitlines()
    if len(wanted) == len(printed) and all(map(_matches, wanted, printed)):
        return
    diff = difflib.ndiff(wanted, printed)
    raise BoardTestFailure("not the expected output", "\n".join(["- expected, + printed", *diff]))


def _matches(expected: str, line: str) -> bool:
    """Compare a line of an .exp file, where a backslash gives a character its regex meaning."""
    if expected == line:
        return True
    parts = re.findall(r"\\(.)|([^\\]+)", expected)
    pattern = "".join(
        meant or re.sub(r"[][(){}.*+^$]", r"\\\g<0>", plain) for meant, plain in parts
    )
    return bool(re.fullmatch(pattern, line))
