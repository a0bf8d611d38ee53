"""Tracebacks and output of a board, told in terms of the host's files."""

from pathlib import Path

import pytest

from modthread.report import STRING, Script, text, thread_table
from modthread.run import LiveOutput

SOURCE = "def f(n):\n    return 1 // n\n\nf(0)\n"
TRACEBACK = (
    "Traceback (most recent call last):\r\n"
    '  File "<stdin>", line 5, in <module>\r\n'
    '  File "<stdin>", line 4, in <module>\r\n'
    '  File "<stdin>", line 2, in f\r\n'
    "ZeroDivisionError: divide by zero\r\n"
)
PLACES = f"""\
Traceback (most recent call last):
  File "{Path("/x/test_f.py")}", line 4, in <module>
    f(0)
  File "/x/test_f.py", line 2, in f
    return 1 // n
ZeroDivisionError: divide by zero
"""


@pytest.fixture
def script() -> Script:
    return Script(Path("/x/test_f.py"), SOURCE)


def test_traceback_with_host_lines(script: Script) -> None:
    assert script.translated(TRACEBACK) == PLACES


def test_failure_reads_as_pytests(script: Script) -> None:
    assert script.failure(TRACEBACK) == (
        "/x/test_f.py:4: in <module>\n"
        "    f(0)\n"
        "/x/test_f.py:2: in f\n"
        "    return 1 // n\n"
        "E   ZeroDivisionError: divide by zero"
    )


def test_path_is_relative_below_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Script(tmp_path / "a" / "b.py", "").shown == "a/b.py"
    assert Script(Path("/x/b.py"), "").shown == "/x/b.py"


def test_frames_of_the_exit_wrapper_are_left_out() -> None:
    script = Script(Path("/x/s.py"), SOURCE, STRING)
    said = TRACEBACK.replace("<stdin>", "<string>", 4).replace(
        '"<string>", line 5', '"<stdin>", line 2'
    )
    assert script.translated(said) == PLACES.replace("test_f", "s")


def test_text_shows_broken_utf8() -> None:
    assert text("ä\r\n".encode() + b"\xff\xc3") == "ä\n\\xff\\xc3"


def test_thread_table() -> None:
    head, row = thread_table([(7, "waiting", 4096, 312)]).splitlines()
    assert head.split() == ["thread", "state", "stack", "used"]
    assert row.split() == ["7", "waiting", "4096", "312"]
    assert len(head) == len(row)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_live_output(script: Script, capfdbinary: pytest.CaptureFixture[bytes], size: int) -> None:
    """However the output is cut into pieces, the whole is the same."""
    printed = b"a\r\n\xff\x00\r x\r\n\r\n  File is no frame\r\n" + TRACEBACK.encode() + b"50 %\r"
    live = LiveOutput(script)
    for start in range(0, len(printed), size):
        live(printed[start : start + size])
    live.finish()
    expected = b"a\n\xff\x00\r x\n\n  File is no frame\n" + PLACES.encode() + b"50 %\r"
    assert capfdbinary.readouterr().out == expected


def test_live_output_does_not_wait_for_the_end_of_a_line(
    script: Script, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    LiveOutput(script)(b"working ")
    assert capfdbinary.readouterr().out == b"working "
