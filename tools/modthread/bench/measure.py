"""Running the scripts of benchmarks/ on emulated boards and reading their figures."""

import ast
import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from modthread import build, progress, project, report
from modthread.bench.results import Results, Row
from modthread.boards import Board
from modthread.device import Device
from modthread.errors import ModthreadError
from modthread.report import Script
from modthread.session import BoardError

SCRIPTS = project.ROOT / "benchmarks"
RUNS = 5
LIMIT = 60.0  # seconds that one script may take

Figures = dict[str, Row]
Show = Callable[[str], None]


@dataclass(frozen=True)
class Bench:
    """Measures `board`, each script `runs` times, each time freshly booted. Blocks for seconds.

    `without` is the same board with the firmware without threads. QEMU counts time as the board's
    own setting says: so the tick interrupts a program as often as on the chip, and what that
    costs is part of every figure.
    """

    board: Board
    without: Board
    runs: int = RUNS
    show: Show = lambda detail: None

    def single_threaded(self) -> Figures:
        """Measure code that uses no threads, with both firmwares."""
        threads, without = (self._rows(one, "single.py") for one in (self.board, self.without))
        return {name: replace(row, without=without[name].threads) for name, row in threads.items()}

    def threaded(self) -> Figures:
        """Measure what threads and locks do."""
        return self._rows(self.board, "threads.py")

    def sizes(self) -> Figures:
        """Return what the firmware with threads occupies more than the one without."""
        threads, without = (build.size(one.firmware) for one in (self.board, self.without))
        flash = threads.text + threads.data - without.text - without.data
        ram = threads.data + threads.bss - without.data - without.bss
        return {"flash": Row("bytes", [flash]), "RAM": Row("bytes", [ram])}

    def _rows(self, board: Board, script: str) -> Figures:
        rows: Figures = {}
        for run in range(self.runs):
            self.show(f"{script} on {board.name}, run {run + 1} of {self.runs}")
            with closing(Device(board)) as device:
                device.log_to(f"bench_{board.name}_{script}")
                device.start()
                _run(device, "measure.py")
                output = _run(device, script)
            for name, unit, total, times in map(ast.literal_eval, output.splitlines()):
                row = rows.setdefault(name, Row("instructions" if unit == "ns" else unit, []))
                each = total / times
                row.threads.append(each / instruction_ns(self.board) if unit == "ns" else each)
        return rows


def measure(board: Board) -> Results:
    """Build `board` with and without threads and measure everything. Blocks for a minute."""
    instruction_ns(board)
    build.firmware(board)
    other = without_threads(board)
    with progress.step(f"Measuring {board.name}") as show:
        bench = Bench(board, other, show=show)
        rows = bench.single_threaded() | bench.threaded() | bench.sizes()
    return Results(board.name, build.version(), rows)


def without_threads(board: Board) -> Board:
    """Build the firmware of `board` without threads, and return the board that has it. Blocks."""
    return replace(board, name=build.firmware(board, threads=False).parent.name)


def instruction_ns(board: Board) -> int:
    """Return how long an instruction of the emulated board takes.

    Raises ModthreadError where the board is not emulated or the emulator does not count.
    """
    match = re.search(r"\bshift=(\d+)\b", board.emulator.icount if board.emulator else "")
    if not match:
        raise ModthreadError(
            f"{board.name}: only instructions of an emulated board are counted, with a fixed"
            " shift in its board.toml's icount"
        )
    return 1 << int(match[1])


def _run(device: Device, name: str) -> str:
    """Run a script of benchmarks/ and return what it printed."""
    path = SCRIPTS / name
    script = Script(path, path.read_text())
    result = device.run(script.text, LIMIT)
    if result.error:
        raise BoardError(f"benchmark failed\n{script.translated(report.text(result.error))}")
    return report.text(result.output)
