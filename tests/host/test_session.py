"""Sessions with a board that behaves, and with boards that do not."""

import ast
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import serial

from modthread._link.session import BoardResetError, LineLostError, Session, TimeLimitError
from modthread._link.traffic import SIZE_LIMIT, TrafficLog
from modthread.errors import ModthreadError

Start = Callable[..., str]
SLACK = 120  # seconds over the limit that a busy machine may take


@pytest.fixture
def log(tmp_path: Path) -> TrafficLog:
    return TrafficLog(tmp_path / "traffic.log")


@pytest.fixture
def session(fake_port: Start, log: TrafficLog) -> Iterator[Session]:
    with closing(Session(fake_port(), log)) as session:
        session.soft_reset(5)
        yield session


class Stopwatch:
    """Checks that what is done inside ends within `limit` seconds."""

    def __init__(self, limit: float) -> None:
        self._limit = limit

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        assert time.monotonic() - self._start < self._limit + SLACK


def test_output_comes_live_and_as_a_result(session: Session) -> None:
    seen: list[bytes] = []
    result = session.run("print(1)\nprint('zwei')", 5, seen.append)
    assert result.output == b"".join(seen) == b"1\r\nzwei\r\n"
    assert result.error == b""
    assert not result.exited


def test_traceback_is_the_error(session: Session) -> None:
    result = session.run("print(1)\n1 / 0", 5)
    assert result.output == b"1\r\n"
    assert b'File "<stdin>", line 2' in result.error
    assert result.error.endswith(b"ZeroDivisionError: division by zero\r\n")
    assert session.run("print(2)", 5).output == b"2\r\n"


@pytest.mark.parametrize("deaf", [False, True])
def test_flood_ends_at_the_limit(session: Session, deaf: bool) -> None:
    with Stopwatch(3), pytest.raises(TimeLimitError) as caught:
        session.run(f"print('first')\nflood({deaf})", 3)
    assert b"flood flood" in caught.value.output
    assert len(caught.value.output) <= 2 << 20
    if deaf:
        with Stopwatch(1), pytest.raises(TimeLimitError):
            session.interrupt(1)
        with Stopwatch(1), pytest.raises(TimeLimitError):
            session.soft_reset(1)
    else:
        assert b"KeyboardInterrupt" in session.interrupt(5).error
        session.soft_reset(5)


def test_hang_ends_at_the_limit(session: Session) -> None:
    with Stopwatch(3), pytest.raises(TimeLimitError) as caught:
        session.run("print('before')\nhang()", 3)
    assert caught.value.output == b"before\r\n"


def test_a_limit_does_not_count_while_the_process_stands_still(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a host that freezes for a minute, and its emulators with it."""
    freezes = [6]

    def read(_: serial.Serial, size: int) -> bytes:
        time.sleep(freezes.pop() if freezes else 0)
        return os.read(line, size)

    line = os.open(session.port, os.O_RDONLY | os.O_NOCTTY)
    monkeypatch.setattr(serial.Serial, "read", read)
    assert session.run("print(1)", 5).output == b"1\r\n"
    os.close(line)


@pytest.mark.parametrize("start", ["silent", "half"])
def test_board_that_does_not_answer(fake_port: Start, log: TrafficLog, start: str) -> None:
    session = Session(fake_port(start), log)
    with closing(session), Stopwatch(1), pytest.raises(TimeLimitError):
        session.soft_reset(1)


def test_board_that_takes_no_input(fake_port: Start, log: TrafficLog) -> None:
    """A pseudo-terminal takes some thousand bytes that nobody reads, and then no more."""
    session = Session(fake_port("silent"), log)
    with closing(session), Stopwatch(1), pytest.raises(TimeLimitError):
        session.ask("'" + "x" * 100_000 + "'", 1)


def test_a_limit_that_ends_while_the_log_is_written(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tomorrow = time.monotonic(), time.monotonic() + 86400
    monkeypatch.setattr(
        session.log, "sent", lambda _: monkeypatch.setattr(time, "monotonic", lambda: tomorrow)
    )
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with pytest.raises(TimeLimitError):
        session.soft_reset(5)


def test_board_that_dies(session: Session) -> None:
    with Stopwatch(1), pytest.raises(LineLostError) as caught:
        session.run("print('last words')\ndie()", 60)
    assert caught.value.output == b"last words\r\n"


def test_board_that_resets(session: Session) -> None:
    with Stopwatch(1), pytest.raises(BoardResetError, match="reset itself"):
        session.run("print(1)\nreset()", 60)
    session.soft_reset(5)
    assert session.run("print(2)", 5).output == b"2\r\n"


def test_board_that_crashes(session: Session) -> None:
    with pytest.raises(BoardResetError, match=r"crashed: \*\*\* HardFault at 0x1234$"):
        session.run("print('*** HardFault at 0x1234')\nreset()", 60)


def test_ten_megabytes(session: Session) -> None:
    seen = 0

    def count(data: bytes) -> None:
        nonlocal seen
        seen += len(data)

    result = session.run(
        "for i in range(10240): write('x' * 1022 + '\\r\\n')\nprint('end')", 60, count
    )
    assert seen == 10240 * 1024 + 5
    assert result.output.endswith(b"xx\r\nend\r\n")
    assert len(result.output) <= 2 << 20
    assert session.log.path.stat().st_size < SIZE_LIMIT + 1000


def test_bytes_that_are_no_text(session: Session) -> None:
    """Every byte but 4, which ends the output: so the raw REPL has it."""
    every = bytes(byte for byte in range(256) if byte != 4)
    result = session.run(f"write({every!r})\nwrite(b'\\xff\\xc3')", 5)
    assert result.output == every + b"\xff\xc3"


def test_byte_4_ends_the_test_but_not_the_session(session: Session) -> None:
    result = session.run("write(b'a\\x04b\\x04c')\nprint('end')", 5)
    assert (result.output, result.error) == (b"a", b"b")
    session.soft_reset(5)
    assert session.run("print(2)", 5).output == b"2\r\n"


def test_long_script(session: Session) -> None:
    lines = [f"total = {number}  # " + "x" * 60 for number in range(1500)]
    assert session.run("\n".join([*lines, "print(total)"]), 60).output == b"1499\r\n"


def test_ask_while_something_prints(session: Session) -> None:
    session.run("write('noise > noise ')", 5)
    assert session.ask("{'a': (1, None)}", 5) == "{'a': (1, None)}"
    session.run("write('noise > noise ')", 5)
    assert session.run_short("print('a')", 5).output.endswith(b"OKa\r\n")


def test_threads_print_and_nothing_waits_for_the_raw_repl(
    fake_port: Start, log: TrafficLog
) -> None:
    """As with stock firmware, the harness finds its answer among other output."""
    with Session(fake_port("noisy"), log) as session:
        session.soft_reset(30)
        session.prepare(30)
        for number in range(20):
            result = session.run(f"# {'x' * 1000}\nprint({number} * 7)", 30)
            assert f"{number * 7}\r\n".encode() in result.output
            assert result.error == b""


def test_log_has_both_directions(session: Session) -> None:
    session.run("print('to be seen')", 5)
    session.log.close()
    text = session.log.path.read_text()
    assert """> "print('to be seen')\"""" in text
    lines = [line for line in text.splitlines() if line[12] == "<"]
    received = "".join(ast.literal_eval(line[14:]) for line in lines)
    assert received.endswith("OKto be seen\r\n\x04\x04>")


def test_any_pyserial_url(fake_port: Start, served: Callable[[str], str], log: TrafficLog) -> None:
    with closing(Session(f"socket://{served(fake_port())}", log)) as session:
        session.soft_reset(10)
        assert session.run("print(6 * 7)", 5).output == b"42\r\n"


def test_no_such_port(log: TrafficLog) -> None:
    with pytest.raises(ModthreadError, match=r"^/dev/nothing: no such port; connected: "):
        Session("/dev/nothing", log)


def test_busy_port(session: Session, log: TrafficLog) -> None:
    with pytest.raises(ModthreadError, match=r"in use by another program; close it \(fuser"):
        Session(session.port, log)


def test_not_a_port(tmp_path: Path, log: TrafficLog) -> None:
    for name in (str(tmp_path), "nonsense://1", "socket://127.0.0.1:1"):
        with pytest.raises(ModthreadError) as caught:
            Session(name, log)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["socket://desk", "rfc2217://desk", "socket://desk:x", "socket://"])
def test_a_url_without_a_number_is_one_line(url: str, log: TrafficLog) -> None:
    with pytest.raises(ModthreadError, match=f"^{url} has no port number; write it as in rfc2217:"):
        Session(url, log)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_no_permission(fake_port: Start) -> None:
    """Another user opens root's port: what pyserial says must be understood."""
    port = fake_port()
    code = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from modthread._link.line import _open
os.setuid(65534)
try: _open({port!r})
except Exception as error: print(type(error).__name__, error)
"""
    Path(port).chmod(0o600)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(f"ModthreadError {port}: no permission; run sudo usermod")
