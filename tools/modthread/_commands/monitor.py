"""The command `monitor`: what a board prints, for a log. Nothing is ever sent to it."""

import math
import os
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

from modthread._boards.boards import SerialConfig
from modthread._boards.reservation import Reservation
from modthread._link.line import Line, LineLostError, TimeLimitError
from modthread._link.traffic import TrafficLog
from modthread._reports.tracebacks import LineEnds
from modthread.errors import ModthreadError

POLL = 0.2  # seconds between two looks for a board that is away


def monitor(port: str, config: SerialConfig, limit: float | None, wait: float) -> int:
    """Print what the board on `port` prints, and return the exit status.

    Blocks for `limit` seconds (None: until Ctrl-C), also while the board is away. Before, the board
    may be in use for `wait` seconds. Raises ModthreadError if it is not there at first.
    """
    deadline = time.monotonic() + (math.inf if limit is None else limit)
    output = Stamped()
    with closing(Reservation(port, wait)) as lock:
        line: Line | None = _open(port, config)
        try:
            while line:
                _say(f"listening to {lock.port}")
                with closing(line):
                    _copy(line, output, deadline)
                line = _reopened(lock, config, deadline)
        finally:
            output.end_line()
    return 0


class Stamped:
    """Writes to stdout at once, with the time before each line."""

    def __init__(self) -> None:
        self._ends = LineEnds()
        self._inside_line = False

    def __call__(self, data: bytes) -> None:
        """Write `data`, which has just come, at once: Ctrl-C may come at any time."""
        stamp = datetime.now().isoformat(" ", "milliseconds").encode() + b" "
        stamped = b""
        for line in self._ends(data).splitlines(keepends=True):
            stamped += line if self._inside_line else stamp + line
            self._inside_line = not line.endswith(b"\n")
        sys.stdout.buffer.write(stamped)
        sys.stdout.buffer.flush()

    def end_line(self) -> None:
        """Start a new line, for what does not come from the board."""
        if self._inside_line:
            self(b"\n")


def _copy(line: Line, output: Stamped, deadline: float) -> None:
    """Show what comes until `deadline`, or until the board goes."""
    try:
        while True:
            with line.limit(deadline - time.monotonic()):
                output(line.chunk())
    except TimeLimitError:
        pass
    except LineLostError as error:
        output.end_line()
        _say(f"{error}; waiting for it")


def _reopened(lock: Reservation, config: SerialConfig, deadline: float) -> Line | None:
    """Return the board's line once it is back, None where that is too late."""
    while time.monotonic() < deadline:
        time.sleep(POLL)
        try:
            return _open(lock.port, config)
        except ModthreadError:  # not yet
            continue
    return None


def _open(port: str, config: SerialConfig) -> Line:
    return Line(port, TrafficLog(Path(os.devnull)), config)


def _say(text: str) -> None:
    print(f"modthread: {text}", file=sys.stderr)
