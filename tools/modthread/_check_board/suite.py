"""The tests of a check: pytest in a process of its own, and what its report log says of them."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modthread._base import project
from modthread._check_board.verdict import NOT_RUN, Judged

DEVICE_TESTS = project.ROOT / "tests/device"
# Minutes on a board: what threads, locks and the GIL promise, and what an emulator may forgive.
SHORT = (
    "callbacks",
    "exit",
    "files",
    "gil",
    "interrupts",
    "lock",
    "lock_blocked",
    "lock_fifo",
    "lock_timeout",
    "many_threads",
    "pin_interrupts",
    "pio_dma",
    "recursion",
    "sleep",
    "stack_size",
    "start",
    "switch_interval",
)
STDERR = 2


def run(board: str, full: bool, log: Path) -> list[Judged]:
    """Run the tests on `board`, as ``--board`` takes it, and return how each ended.

    Blocks for minutes, `full` for half an hour; pytest's own words go to stderr. What has been
    seen until a KeyboardInterrupt is in `log`: see results().
    """
    paths = [DEVICE_TESTS] if full else [DEVICE_TESTS / f"test_{name}.py" for name in SHORT]
    command = [sys.executable, "-m", "pytest", "-q", "--no-build", f"--board={board}"]
    command += ["--lane=all"] if full else []
    log.unlink(missing_ok=True)
    with subprocess.Popen(
        [*command, f"--report-log={log}", *map(str, paths)], cwd=project.ROOT, stdout=STDERR
    ) as process:
        try:
            process.wait()
        except KeyboardInterrupt:  # pytest has it, too, and says what it has seen
            process.wait()
            raise
    return results(log)


def results(log: Path) -> list[Judged]:
    """Return how each test ended that a report log tells of."""
    if not log.is_file():
        return []
    *lines, _ = log.read_text().split("\n")  # what follows the last line's end was cut off
    tests: dict[str, Judged] = {}
    for entry in map(json.loads, lines):
        if entry["$report_type"] == "TestReport":
            name = _name(entry)
            tests[name] = _merged(tests.get(name), name, entry)
    return list(tests.values())


def _name(entry: dict[str, Any]) -> str:
    """Return a test's name without its board's: the reference is of another board."""
    board = dict(entry["user_properties"]).get("board")
    path, _, parameters = entry["nodeid"].partition("[")
    others = [word for word in parameters.removesuffix("]").split("-") if word != board]
    return f"{path}[{'-'.join(others)}]" if any(others) else str(path)


def _merged(before: Judged | None, name: str, entry: dict[str, Any]) -> Judged:
    """Return what a test's result is after another of its three phases."""
    if entry["outcome"] == "passed":
        return before or Judged(name, "passed")
    if entry["outcome"] == "skipped":
        return Judged(name, "skipped", _reason(entry["longrepr"]))
    outcome = NOT_RUN if entry["when"] == "setup" else "failed"
    return Judged(name, outcome, _reason(entry["longrepr"]))


def _reason(longrepr: Any) -> str:
    """Return the line that says most of what pytest says of a test."""
    if isinstance(longrepr, dict):
        return str(longrepr["reprcrash"]["message"]).partition("\n")[0].removeprefix("Failed: ")
    if isinstance(longrepr, list):  # file, line, reason
        return str(longrepr[-1]).removeprefix("Skipped: ")
    return _last_error(str(longrepr).splitlines())


def _last_error(lines: Iterable[str]) -> str:
    kept = [line.strip() for line in lines if line.strip()]
    errors = [line.removeprefix("E").strip() for line in kept if line.startswith("E ")]
    return (errors or kept or [""])[-1 if errors else 0]
