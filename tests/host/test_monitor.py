"""`modthread monitor` on a pseudo-terminal: what it shows, and that it sends nothing."""

import os
import re
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from modthread._commands.monitor import Stamped

pytestmark = pytest.mark.lane("test")  # each is a run of a command, beside a fake board

MONITOR = [sys.executable, "-m", "modthread", "monitor"]
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "
Process = subprocess.Popen[str]


class Board:
    """The other end of a serial line, which can be taken away and given back."""

    def __init__(self, port: Path) -> None:
        self.port = port
        self.plug_in()

    def plug_in(self) -> None:
        self.fd, end = os.openpty()
        tty.setraw(end)
        self._end = end
        self.port.symlink_to(os.ttyname(end))

    def unplug(self) -> None:
        self.port.unlink()
        os.close(self._end)
        os.close(self.fd)

    def print(self, data: bytes) -> None:
        os.write(self.fd, data)

    def got_anything(self) -> bool:
        return bool(select.select([self.fd], [], [], 0)[0])


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    board = Board(tmp_path / "tty-board")
    yield board
    board.unplug()


def monitor(board: Board, *arguments: str) -> Process:
    # A shell that was started in the background hands down that SIGINT is ignored.
    command = ["env", "--default-signal=INT", *MONITOR, "--port", str(board.port), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    assert process.stderr.readline() == f"modthread: listening to {board.port}\n"
    return process


def line(process: Process) -> str:
    assert process.stdout
    return process.stdout.readline()


def end(process: Process) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    assert process.stdout
    assert process.stderr
    output, said = process.stdout.read(), process.stderr.read()
    assert process.wait(120) == 130
    return output, said


def test_lines_have_the_time_and_nothing_is_sent(board: Board) -> None:
    process = monitor(board)
    board.print(b"first\r\nhalf a ")
    assert re.fullmatch(rf"{STAMP}first\n", line(process))
    board.print(b"line\r\nthird")
    assert re.fullmatch(rf"{STAMP}half a line\n", line(process))
    output, said = end(process)
    assert re.fullmatch(rf"{STAMP}third\n", output)
    assert said == ""
    assert not board.got_anything()


def test_a_line_end_may_come_in_halves(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    output = Stamped()
    for data in (b"abc\r", b"\nd\r", b"ef\r\n", b"g\r"):
        output(data)
    output.end_line()
    shown = re.sub(STAMP.encode(), b"|", capfdbinary.readouterr().out)
    assert shown == b"|abc\n|d\ref\n|g\n"


def test_a_board_that_goes_and_comes_back_is_shown_on(board: Board) -> None:
    process = monitor(board)
    board.print(b"before\r\nlast wo")
    assert line(process).endswith(" before\n")
    board.unplug()
    assert process.stderr
    assert process.stderr.readline().startswith("modthread: the port has gone (")
    assert line(process).endswith(" last wo\n")
    board.plug_in()
    assert process.stderr.readline() == f"modthread: listening to {board.port}\n"
    board.print(b"after\r\n")
    assert line(process).endswith(" after\n")
    end(process)


def test_it_ends_at_its_limit_though_the_board_floods_or_is_away(board: Board) -> None:
    flooded = monitor(board, "--limit", "1")
    assert flooded.stdout
    deadline = time.monotonic() + 120
    while flooded.poll() is None:
        assert time.monotonic() < deadline
        if select.select([], [board.fd], [], 0.1)[1]:
            board.print(b"flood\r\n")
        if select.select([flooded.stdout], [], [], 0.1)[0]:
            line(flooded)
    assert flooded.returncode == 0
    away = monitor(board, "--limit", "1")
    board.unplug()
    assert away.wait(120) == 0
    board.plug_in()


def test_the_board_is_held_and_a_busy_one_is_told(board: Board) -> None:
    first = monitor(board)
    second = subprocess.run([*MONITOR, "--port", board.port], capture_output=True, text=True)
    assert second.returncode == 2
    assert f"is in use by modthread monitor --port {board.port} (process {first.pid} of " in (
        second.stderr
    )
    end(first)


def test_no_board_is_one_line() -> None:
    result = subprocess.run([*MONITOR, "--board", "MPS2_AN385"], capture_output=True, text=True)
    assert result.returncode == 2
    assert re.fullmatch(
        r"modthread: no MPS2_AN385 found; connected: .*; use --board MPS2_AN385@PORT\n",
        result.stderr,
    )
