"""MicroPython's own tests: run as they are, compared with their expected output."""

import difflib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from modthread._base import sources
from modthread._link.session import Result
from modthread._reports import tracebacks
from modthread._reports.tracebacks import Script
from modthread.errors import ModthreadError
from modthread.plugin.board_item import FLEET, BoardItem, BoardTestFailure
from modthread.plugin.device_test import Mark

CPYTHON_LIMIT = 300.0  # seconds


class MicropythonTestFile(pytest.File):
    """A table that names MicroPython's tests, and what is expected to differ."""

    def collect(self) -> Iterable[BoardItem]:
        """Yield one item per file and board."""
        settings = tomllib.loads(self.path.read_text())
        try:
            root = sources.micropython() / settings["folder"]
        except ModthreadError as error:
            raise self.CollectError(str(error)) from None
        folders = [root / name for name in settings.get("folders", ["."])]
        paths = {str(p.relative_to(root)): p for f in folders for p in sorted(f.glob("*.py"))}
        for table in ("deviations", "timeouts", "lanes", "left_out"):
            if unknown := settings.get(table, {}).keys() - paths.keys():
                raise self.CollectError(f"{self.path}: {root} has no {', '.join(unknown)}")
        for name in settings.get("left_out", {}):
            del paths[name]
        for board in self.config.stash[FLEET].boards:
            for name, path in paths.items():
                yield self._item(settings, name, path, board)

    def _item(self, settings: dict[str, Any], name: str, path: Path, board: str) -> BoardItem:
        limit = settings.get("timeouts", {}).get(name, settings.get("timeout"))
        of_all = [settings["lane"]] if "lane" in settings else []
        lanes = settings.get("lanes", {}).get(name, of_all)
        marks = [Mark("device_timeout", (limit,))] if limit else []
        marks += [Mark("lane", tuple(lane)) for lane in lanes]
        common = {
            "name": f"{name}[{board}]",
            "board": board,
            "script": Script(path, path.read_text()),
            "marks": marks,
        }
        if "beside" in settings:
            return BesideItem.from_parent(self, **common, beside=settings["beside"])
        deviation = settings.get("deviations", {}).get(name)
        return MicropythonTestItem.from_parent(self, **common, deviation=deviation)


class FileItem(BoardItem):
    """One of MicroPython's test files on one board."""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the test is."""
        return self.script.path, 0, self.name

    def source(self) -> str:
        """Return the file as it is."""
        return self.script.text


class MicropythonTestItem(FileItem):
    """A file whose output is as expected."""

    def __init__(self, *, deviation: dict[str, str] | None, **kw: Any) -> None:
        super().__init__(**kw)
        self._deviation = deviation

    def check(self, result: Result) -> None:
        """Compare with the recorded deviation if there is one, else with the expected output."""
        output = tracebacks.text(result.output)
        error = tracebacks.last_line(result.error)
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


class BesideItem(FileItem):
    """A file to which threads beside it make no difference."""

    def __init__(self, *, beside: str, **kw: Any) -> None:
        super().__init__(**kw)
        self._beside = beside

    def check(self, result: Result) -> None:
        """Run the file again, beside threads that live as long, and compare with `result`."""
        self.device.clean_up()
        started = self.device.run(f"exec({self._beside!r}, {{}})", self.limit)
        if started.error:
            raise BoardTestFailure(f"no threads beside it: {tracebacks.last_line(started.error)}")
        threads = len(self.device.threads())
        beside = self._run()
        if not beside.exited and len(self.device.threads()) < threads:
            raise BoardTestFailure("a thread beside it has ended")
        if _ending(result) != _ending(beside):
            _tell_apart(_ending(result), _ending(beside), "without threads")


def _ending(result: Result) -> list[str]:
    """Return the lines that a script has printed, and how it ended."""
    lines = tracebacks.text(result.output).splitlines()
    return [*lines, tracebacks.last_line(result.error), "SystemExit" if result.exited else ""]


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
    _tell_apart(wanted, printed, "expected")


def _tell_apart(wanted: list[str], printed: list[str], what: str) -> NoReturn:
    diff = difflib.ndiff(wanted, printed)
    raise BoardTestFailure(f"not the output {what}", "\n".join([f"- {what}, + printed", *diff]))


def _matches(expected: str, line: str) -> bool:
    """Compare a line of an .exp file, where a backslash gives a character its regex meaning."""
    if expected == line:
        return True
    parts = re.findall(r"\\(.)|([^\\]+)", expected)
    pattern = "".join(
        meant or re.sub(r"[][(){}.*+^$]", r"\\\g<0>", plain) for meant, plain in parts
    )
    return bool(re.fullmatch(pattern, line))
