"""Running the scripts of benchmarks/ on emulated boards and reading their figures."""

import ast
import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import geometric_mean

from modthread._base import progress, project, sources
from modthread._base.progress import Show
from modthread._bench import goals
from modthread._bench.results import Results, Row
from modthread._boards.boards import Board
from modthread._firmware import build
from modthread._firmware.build import Threads
from modthread._link.line import TimeLimitError
from modthread._link.session import BoardError
from modthread._reports import tracebacks
from modthread._reports.tracebacks import Script
from modthread.device import Device
from modthread.errors import ModthreadError

SCRIPTS = project.ROOT / "benchmarks"
PROGRAMS = "tests/perf_bench"  # in MicroPython's source
PROMPT_TIME = 0.5  # seconds that the board waits at its prompt, before its time scale
RUNS = 5
LIMIT = 120.0  # seconds that one script may take, before the board's time scale

Figures = dict[str, Row]
Run = Callable[[Device], str]  # runs something on a board, and returns what it reported


@dataclass(frozen=True)
class Bench:
    """Measures `board` and, beside it, boards with other threads: each script `runs` times.

    The board boots afresh each time. Blocks for seconds to minutes. `without` is the same board
    with the firmware without threads, `upstream` the one with MicroPython's own threads. QEMU
    counts time as the board's settings say, so the tick interrupts a program as often as on the
    chip. The cost of the tick is part of every figure.
    """

    board: Board
    without: Board
    upstream: Board | None = None
    runs: int = RUNS
    show: Show = lambda detail: None

    def single_threaded(self) -> Figures:
        """Measure code that uses no threads."""
        rows, without = self._compared("single.py"), self._rows(self.without, "single.py")
        return _beside(rows, without)

    def programs(self) -> Figures:
        """Measure those of MicroPython's own benchmark programs that fit on the board."""
        rows: Figures = {}
        for path in sorted((sources.micropython() / PROGRAMS).glob("*_*.py")):
            run = partial(_run_program, path)
            try:
                without = self._rows(self.without, path.name, run)
            except BoardError:  # too large, or in need of a module that the board lacks
                continue
            rows |= _beside(self._compared(path.name, run), without)
        return rows | {goals.PROGRAMS_MEAN: _mean(list(rows.values()))}

    def threaded(self) -> Figures:
        """Measure what threads, locks and the modules of lib/ do, and the kernel alone.

        The kernel only where there is `upstream`.
        """
        rows = self._compared("threads.py") | self._compared("ring.py") | self._compared("many.py")
        if self.upstream:
            for name, floor in self._rows(self.upstream, "floor.py").items():
                rows[name] = replace(rows[name], floor=floor.threads)
        rows |= self._rows(self.board, "library.py")
        return rows | self._compared("soft_reset.py", _run_soft_resets)

    def busy(self) -> Figures:
        """Measure how threads that compute share the processor, and let others run."""
        return self._compared("busy.py") | self._compared("prompt.py", _run_prompt)

    @property
    def _icount(self) -> str | None:
        """The emulator's icount: where it counts cycles, a board need not wait for real time."""
        emulator = self.board.emulator
        return emulator.test_icount if emulator and emulator.cycle_ns else None

    def _compared(self, script: str, run: Run | None = None) -> Figures:
        """Return the rows with ours and, where there is one, with MicroPython's own threads."""
        rows = self._rows(self.board, script, run)
        other = self._rows_of_upstream(script, run)
        return {
            name: replace(row, upstream=other[name].threads if name in other else None)
            for name, row in rows.items()
        }

    def _rows_of_upstream(self, script: str, run: Run | None) -> Figures:
        """Return no rows where MicroPython's own threads let each other wait for ever."""
        if self.upstream is None:
            return {}
        try:
            return self._rows(self.upstream, script, run)
        except TimeLimitError:
            self.show(f"{script} does not end on {self.upstream.name}: it has no figures")
            return {}

    def _rows(self, board: Board, script: str, run: Run | None = None) -> Figures:
        """Let `run` do as often as is meant what a fresh board then reports; run `script` else."""
        rows: Figures = {}
        for number in range(self.runs):
            self.show(f"{script} on {board.name}, run {number + 1} of {self.runs}")
            with closing(Device(board, icount=self._icount)) as device:
                device.log_to(f"bench_{board.name}_{script}")
                device.start()
                _run(device, SCRIPTS / "measure.py")
                output = run(device) if run else _run(device, SCRIPTS / script)
            unit_of_time, ns = counted(self.board)
            for name, unit, total, times in map(ast.literal_eval, output.splitlines()):
                is_time = unit == "ns"
                row = rows.setdefault(name, Row(unit_of_time if is_time else unit, []))
                row.threads.append(total / times / (ns if is_time else 1))
        return rows


def times(device: Device, script: str) -> dict[str, float]:
    """Return in microseconds what a script of benchmarks/ measures on a clean board, by name.

    Blocks for seconds; raises BoardError.
    """
    _run(device, SCRIPTS / "measure.py")
    figures = map(ast.literal_eval, _run(device, SCRIPTS / script).splitlines())
    return {name: total / count / 1000 for name, unit, total, count in figures if unit == "ns"}


def measure(board: Board) -> Results:
    """Build `board` with all kinds of threads and measure everything. Blocks for minutes."""
    counted(board)
    build.firmware(board)
    without, upstream = with_other_threads(board)
    with progress.step(f"Measuring {board.name}") as show:
        bench = Bench(board, without, upstream, show=show)
        rows = bench.single_threaded() | bench.programs()
        rows |= bench.threaded() | bench.busy()
    return Results(board.name, build.version(), rows | sizes(board))


def sizes(board: Board) -> Figures:
    """Build `board` with and without threads; return what it occupies more with them. Blocks."""
    board = _without_network(board)
    kinds = Threads.OURS, Threads.NONE
    elves = [build.firmware(board, kind) for kind in kinds]
    threads, without = map(build.size, elves)
    library = build.library(*elves) or 0
    flash = threads.text + threads.data - without.text - without.data - library
    ram = threads.data + threads.bss - without.data - without.bss
    figures = {"flash": flash, "flash of lib/": library, "RAM": ram}
    return {name: Row("bytes", [bytes_]) for name, bytes_ in figures.items()}


def _without_network(board: Board) -> Board:
    """Return a board of ports/qemu whose firmware has none: it is no part of what threads cost."""
    if board.port != "qemu" or not board.emulator:
        return board
    emulator = replace(board.emulator, network=(), forward="")
    return replace(board, name=f"{board.name}-offline", emulator=emulator)


def with_other_threads(board: Board) -> tuple[Board, Board | None]:
    """Build `board` without threads and with MicroPython's own; return the boards with these.

    The first board has the names of `board`, which was built before, if its port can do that. The
    interpreter's lookup cache works by the numbers of names (py/map.c), so other names would make
    single programs some percent faster or slower. The second board is None if the port cannot have
    MicroPython's own threads. Blocks.
    """
    none = _built(
        board, Threads.SAME_NAMES if build.can_have(board, Threads.SAME_NAMES) else Threads.NONE
    )
    has_upstream = build.can_have(board, Threads.MICROPYTHON)
    return none, _built(board, Threads.MICROPYTHON) if has_upstream else None


def counted(board: Board) -> tuple[str, float]:
    """Return what the board's emulator counts, and how many nanoseconds one of it takes.

    Raises ModthreadError where the board is not emulated or the emulator does not count.
    """
    if board.emulator and board.emulator.cycle_ns:
        return "cycles", board.emulator.cycle_ns
    match = re.search(r"\bshift=(\d+)\b", board.emulator.icount if board.emulator else "")
    if not match:
        raise ModthreadError(
            f"{board.name}: nothing counts its instructions; it needs an emulator with a fixed"
            " shift in its board.toml's icount, or with cycle_ns"
        )
    return "instructions", 1 << int(match[1])


def _built(board: Board, threads: Threads) -> Board:
    return replace(board, name=build.firmware(board, threads).parent.name)


def _mean(rows: list[Row]) -> Row:
    """Return the geometric mean of what the programs take of what they take without threads."""
    ours = geometric_mean(row.ratio for row in rows if row.ratio)
    upstream = [row.ratio_upstream for row in rows if row.ratio_upstream]
    return Row("times", [ours], [1.0], [geometric_mean(upstream)] if upstream else None)


def _beside(rows: Figures, without: Figures) -> Figures:
    return {name: replace(row, without=without[name].threads) for name, row in rows.items()}


def _run(device: Device, path: Path, then: str = "") -> str:
    """Run a script, and `then`, and return what it printed."""
    return _output(device, Script(path, path.read_text() + then))


def _output(device: Device, script: Script) -> str:
    result = device.run(script.text, _limit(device))
    if result.error:
        raise BoardError(f"benchmark failed\n{script.translated(tracebacks.text(result.error))}")
    return tracebacks.text(result.output)


def _limit(device: Device) -> float:
    return LIMIT * device.board.time_scale


def _run_program(path: Path, device: Device) -> str:
    _run(device, SCRIPTS / "program.py")
    return _run(device, path, f"\nrun({path.name!r})\n")


def _run_prompt(device: Device) -> str:
    path = SCRIPTS / "prompt.py"
    _run(device, path)
    time.sleep(PROMPT_TIME * device.board.time_scale)
    return _output(device, Script(path, "report_prompt()"))


def _run_soft_resets(device: Device) -> str:
    """Reset softly from a script, beside no and many threads; from its end to the prompt."""
    source = (SCRIPTS / "soft_reset.py").read_text()
    lines = []
    for threads in (0, 16):
        device.session.begin(f"{source}\nreset_beside({threads})\n", _limit(device))
        device.session.send(b"!import time; print(time.ticks_us())\x04")
        before, after = (device.follow(_limit(device)).output for _ in range(2))
        took = int(after.partition(b"OK")[2]) - int(before)
        lines.append(repr((f"soft reset beside {threads}", "ns", 1000 * took, 1)))
    return "\n".join(lines)
