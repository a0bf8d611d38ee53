"""pytest items for methods of CPython's tests: a class is loaded once, each method is a test."""

import ast
import base64
import re
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from modthread._link.session import Result
from modthread._reports import tracebacks
from modthread._reports.tracebacks import Script
from modthread.device import Device
from modthread.errors import ModthreadError
from modthread.plugin import cpython_source
from modthread.plugin.board_item import FLEET, BoardItem, BoardTestFailure
from modthread.plugin.cpython_source import CaseClass, Module
from modthread.plugin.device_test import Mark

LOADER, SHIMS, TABLE = "loader.py", ("unittest.py", "support.py"), "cannot.toml"

# Runs lines that are sent in a third of their bytes: an emulator's serial line is slow.
UNPACK = """\
import binascii, deflate, io
lines = deflate.DeflateIO(io.BytesIO(binascii.a2b_base64({packed!r})), deflate.ZLIB)
while line := lines.readline(): exec(line)
"""
WINDOW_BITS = 12  # of the compression: the board's window has 4 KB


@dataclass(frozen=True)
class Row:
    """Tests that cannot pass on a board, why, and the pattern of the error that shows it.

    Where that is that the test does not end, `seconds` is how long to wait for it. Where `code` is
    given, that is what cannot pass: in another release of CPython the test may not have it.
    """

    reason: str
    error: str
    tests: list[str]
    seconds: float | None = None
    code: str = ""

    def has(self, name: str, definition: ast.AST) -> bool:
        """Return whether the row is about the test `name`, as in EventTests.test_notify."""
        named = any(fnmatchcase(name, pattern) for pattern in self.tests)
        return named and self.code in ast.unparse(definition)


def rows(folder: Path) -> list[Row]:
    """Return the rows of the table of tests that cannot pass."""
    return [Row(**row) for row in tomllib.loads((folder / TABLE).read_text())["cannot"]]


class CPythonTestFile(pytest.File):
    """A table that names files of CPython's tests."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.on_boards: dict[str, OnBoard] = {}

    def collect(self) -> Iterable["ClassCollector"]:
        """Yield the classes of these files, once for each board."""
        settings = tomllib.loads(self.path.read_text())
        try:
            root = cpython_source.folder()
        except ModthreadError as error:
            raise pytest.skip.Exception(str(error), allow_module_level=True) from None
        modules = [Module(root, name) for name in settings["files"] if (root / name).is_file()]
        cannot = rows(self.path.parent)
        for board in self.config.stash[FLEET].boards:
            on_board = self.on_boards[board] = OnBoard()
            for module in modules:
                for case in cpython_source.case_classes(module, settings.get("made")):
                    yield ClassCollector.from_parent(
                        self,
                        name=case.name,
                        case=case,
                        module=module,
                        board=board,
                        on_board=on_board,
                        settings=settings,
                        cannot=cannot,
                    )

    def teardown(self) -> None:
        """Make the boards clean for what follows."""
        fleet = self.config.stash[FLEET]
        for board, on_board in self.on_boards.items():
            if on_board.part:
                on_board.part = None
                fleet.device(board).clean_up()
                fleet.pause(board)


@dataclass
class OnBoard:
    """What has been loaded since the board's last soft reset: a class, some methods; the result."""

    part: tuple[str, frozenset[str]] | None = None
    loading: Result = field(default_factory=lambda: Result(b"", b""))


class ClassCollector(pytest.Collector):
    """A class on one board."""

    def __init__(
        self,
        *,
        case: CaseClass,
        module: Module,
        board: str,
        on_board: OnBoard,
        settings: dict[str, Any],
        cannot: list[Row],
        **kw: Any,
    ) -> None:
        super().__init__(**kw)
        self.module = module
        self.on_board = on_board
        self._case = case
        self._board = board
        self._settings = settings
        self._cannot = cannot
        self._alone = False

    def collect(self) -> Iterable["MethodItem"]:
        """Yield one item for each method."""
        lanes = self._settings.get("lanes", {}).items()
        for method, (module, definition) in self._case.methods.items():
            name = f"{self.name}.{method}"
            marks = [Mark("lane", tuple(lane)) for test, lane in lanes if fnmatchcase(name, test)]
            yield MethodItem.from_parent(
                self,
                name=f"{method}[{self._board}]",
                board=self._board,
                script=Script(module.path, module.text, module.name),
                marks=marks,
                method=method,
                line=cpython_source.first_line(definition),
                row=next((row for row in self._cannot if row.has(name, definition)), None),
            )

    def load(self, device: Device, limit: float, method: str) -> Result:
        """Load the class if it is not on the board yet, and return how that has ended.

        Where MicroPython lacks the syntax of some method, each is loaded alone, as `method` is.
        """
        methods = {method} if self._alone else {one.method for one in self._items()}
        part = (self.nodeid, frozenset(methods))
        on_board = self.on_board
        if on_board.part != part:
            begin = "files.clear()" if on_board.part else _shims(self.path.parent)
            on_board.part = part
            script = _packed(f"{begin}\n{self._case.script(methods)}\n")
            on_board.loading = device.run(script, limit)
        if not self._alone and tracebacks.last_line(on_board.loading.error).startswith(
            "SyntaxError"
        ):
            self._alone = True
            return self.load(device, limit, method)
        return on_board.loading

    def _items(self) -> Iterator["MethodItem"]:
        """Yield the tests of this class that are to be run."""
        for item in self.session.items:
            if isinstance(item, MethodItem) and item.parent is self:
                yield item


class MethodItem(BoardItem):
    """One method on one board."""

    parent: ClassCollector

    def __init__(self, *, method: str, line: int, row: Row | None, **kw: Any) -> None:
        super().__init__(**kw)
        self.method = method
        self._line = line
        self._row = row
        self._clean = True  # no threads are left after it

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the method is."""
        return self.script.path, self._line - 1, self.name

    def source(self) -> str:
        """Return the call that runs the method."""
        return f"run({self.parent.name!r}, {self.method!r})"

    @property
    def limit(self) -> float:
        """Seconds that the test may take: the row's, or any test's."""
        if self._row and self._row.seconds:
            return self._row.seconds * self.device.board.time_scale
        return super().limit

    def runtest(self) -> None:
        """Run the method; its class is loaded if it is not there yet."""
        loading = self.parent.load(self.device, super().limit, self.method)
        if loading.error:
            self.check(loading)
        elif self._row and self._row.seconds:
            self._run_in_vain(self._row)
        else:
            self.check(self._run())
        self._passed = True

    def _run_in_vain(self, row: Row) -> None:
        """Run what does not end."""
        try:
            result = self._run()
        except BoardTestFailure as failure:
            if not re.match(row.error, failure.message):
                raise
            self._clean = False
        else:
            self.check(result)

    def check(self, result: Result) -> None:
        """Fail on an exception, in a thread too, and on what the table calls impossible."""
        error = tracebacks.last_line(result.error)
        if self._row and not error:
            raise BoardTestFailure(f"it passes by now: take it out of {TABLE}")
        if self._row and re.search(self._row.error, error):
            self._clean = len(self.device.threads()) == 1
            return
        if error:
            raise self.raised(result.error)
        if result.exited:
            raise BoardTestFailure("SystemExit ended the test")
        # What threading prints is no failure here: some tests want it.
        if tracebacks.DIED_UNHANDLED in tracebacks.text(result.output):
            raise BoardTestFailure("an exception ended a thread, see the output")

    def teardown(self) -> None:
        """Leave the class on the board, unless the test has failed."""
        if self._passed and self._clean:
            self.config.stash[FLEET].pause(self.board)
        else:
            self.parent.on_board.part = None
            super().teardown()


def _shims(folder: Path) -> str:
    """Return lines that make a board ready for the loader's calls."""
    loader, *shims = (repr((folder / name).read_text()) for name in (LOADER, *SHIMS))
    return f"exec({loader})\nbegin({', '.join(shims)})"


def _packed(lines: str) -> str:
    """Return a script that runs `lines`, one after the other."""
    compressor = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=WINDOW_BITS)
    data = compressor.compress(lines.encode()) + compressor.flush()
    return UNPACK.format(packed=base64.b64encode(data))
