"""Tracebacks and output of a board, told in terms of the host's files."""

from pathlib import Path

import pytest

from modthread._commands.run import LiveOutput
from modthread._reports.tracebacks import STRING, Script, Thread, shown, text, thread_table

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
    assert shown(tmp_path / "a" / "b.py") == "a/b.py"
    assert shown(Path("/x/b.py")) == "/x/b.py"


def test_modules_have_their_source_where_their_file_is_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "own.py").write_text("def f():\n    g()\n")
    script = Script(tmp_path / "test_f.py", "import own\nown.f()\n")
    said = 'File "<stdin>", line 2, in <module>', 'File "/lib/own.py", line 2, in f'
    frozen = 'File "asyncio/core.py", line 300, in run_until_complete'
    traceback = "".join(f"  {frame}\r\n" for frame in (*said, frozen))
    assert script.failure(f"{traceback}OSError: 5\r\n").splitlines() == [
        f"{tmp_path}/test_f.py:2: in <module>",
        "    own.f()",
        f"{tmp_path}/lib/own.py:2: in f",
        "    g()",
        "asyncio/core.py:300: in run_until_complete",
        "E   OSError: 5",
    ]


def test_frames_of_the_exit_wrapper_are_left_out() -> None:
    script = Script(Path("/x/s.py"), SOURCE, STRING)
    said = TRACEBACK.replace("<stdin>", "<string>", 4).replace(
        '"<string>", line 5', '"<stdin>", line 2'
    )
    assert script.translated(said) == PLACES.replace("test_f", "s")


def test_text_shows_broken_utf8() -> None:
    assert text("ä\r\n".encode() + b"\xff\xc3") == "ä\n\\xff\\xc3"


def test_thread_table() -> None:
    head, row = thread_table([Thread(7, "waiting", 4096, 312, "work")]).splitlines()
    assert head.split() == ["thread", "state", "stack", "used", "function"]
    assert row.split() == ["7", "waiting", "4096", "312", "work"]
    assert head.index("function") == row.index("work")


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
