"""MicroPython's own tests as the harness runs them: real runs of pytest on a tree made here."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.lane("test")  # each is a run of pytest

FILES = {
    "as_cpython.py": "print('one')\nprint('a\\\\b')\n",
    "as_recorded.py": "print('two')\n",
    "as_recorded.py.exp": "two\n",
    "as_pattern.py": "print('at 0x20(07)b-f0, line 7')\n",
    "as_pattern.py.exp": "at 0x\\[0-9a-f()\\]\\+-f0, \\.\\+7\n",
    "other_output.py": "print('three')\n",
    "other_output.py.exp": "four\n",
    "pattern_fails.py": "print('x+')\n",
    "pattern_fails.py.exp": "x\\+\n",
    "more_output.py": "print('five')\nprint('six')\n",
    "more_output.py.exp": "five\n",
    "raises.py": "print('seven')\n1 / 0\n",
    "raises.py.exp": "seven\n",
    "skips.py": "print('SKIP')\n",
    "skips.py.exp": "SKIP\n",
    "fails_in_cpython.py": "import _thread\n_thread._kernel\n",
    "deviates.py": "print(0)\nraise ValueError('too small')\n",
    "deviates_no_more.py": "print(0)\n",
    "deviates_otherwise.py": "print(0)\nraise ValueError('too large')\n",
}
DEVIATION = """
[deviations."{name}"]
reason = "for a reason"
output = "0\\n"
exception = "ValueError: too small"
"""
# What the fake board's "threads" do lasts until another file is run.
DIFFERS = "import time\nprint(hasattr(time, 'beside'))\n"
BESIDE = """
folder = "tests"
folders = ["more", "some"]
beside = "import time; time.beside = True"
[left_out]
"some/skips.py" = "for a reason"
"""
PASSING = {"as_cpython", "as_recorded", "as_pattern", "deviates"}
FAILING = {
    "other_output": "not the output expected",
    "pattern_fails": "not the output expected",
    "more_output": "not the output expected",
    "raises": "ZeroDivisionError: division by zero",
    "skips": "the test skipped itself: the board lacks what it needs",
    "fails_in_cpython": "fails_in_cpython.py fails in CPython too",
    "deviates_no_more": "recorded deviation: expected 'ValueError: too small', got ''",
    "deviates_otherwise": "recorded deviation: expected 'ValueError: too small', got 'Va",
}

Run = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, fake_board: Callable[..., str]) -> Run:
    """Return a function that runs a table of upstream tests on the fake board."""
    tree = tmp_path / "micropython"
    files = {"py/mpconfig.h": "", "tests/more/differs.py": DIFFERS}
    files |= {f"tests/some/{name}": text for name, text in FILES.items()}
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    table = tmp_path / "project" / "tests" / "micropython" / "test_some.toml"
    table.parent.mkdir(parents=True)
    (tmp_path / "project" / "pytest.ini").write_text("[pytest]\n")

    def run(text: str) -> subprocess.CompletedProcess[str]:
        table.write_text(text)
        command = [sys.executable, "-m", "pytest", "--config-file=pytest.ini", "--no-build", "-rA"]
        return subprocess.run(
            [*command, "--board", fake_board()],
            cwd=tmp_path / "project",
            env=os.environ | {"MICROPY_DIR": str(tree), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_verdicts(run: Run) -> None:
    deviations = ("deviates.py", "deviates_no_more.py", "deviates_otherwise.py")
    table = 'folder = "tests/some"\n' + "".join(DEVIATION.format(name=n) for n in deviations)
    said = run(table).stdout
    name = r"tests/micropython/test_some.toml::(\w+).py\[FAKE\]"
    passed = re.findall(rf"^PASSED {name}$", said, re.MULTILINE)
    failed = re.findall(rf"^FAILED {name} - (.*)", said, re.MULTILINE)
    assert set(passed) == PASSING
    assert {name for name, _ in failed} == set(FAILING)
    for test, message in failed:
        assert message.startswith(FAILING[test]), (test, message)
    assert "- four\n+ three\n" in said


def test_a_table_about_files_that_are_gone(run: Run) -> None:
    said = run('folder = "tests/some"\n' + DEVIATION.format(name="gone.py")).stdout
    assert re.search(r"test_some.toml: .*/tests/some has no gone.py\n", said)
    assert "1 error" in said


def test_a_limit_of_its_own(run: Run) -> None:
    said = run('folder = "tests/some"\n[timeouts]\n"as_recorded.py" = 0.0001\n').stdout
    assert "as_recorded.py[FAKE] - no end after 0.0001 s" in said


def test_beside_threads(run: Run) -> None:
    """Whatever a file does is right if it does the same beside threads."""
    said = run(BESIDE).stdout
    name = r"tests/micropython/test_some.toml::(\w+/\w+).py\[FAKE\]"
    passed = re.findall(rf"^PASSED {name}$", said, re.MULTILINE)
    assert set(passed) == {f"some/{file.removesuffix('.py')}" for file in FILES if is_run(file)}
    assert re.findall(rf"^FAILED {name} - (.*)", said, re.MULTILINE) == [
        ("more/differs", "not the output without threads")
    ]
    assert "- False\n+ True\n" in said


def is_run(file: str) -> bool:
    return file.endswith(".py") and file != "skips.py"


def test_threads_that_do_not_start(run: Run) -> None:
    said = run(BESIDE.replace("import time;", "import nothing;")).stdout
    assert "more/differs.py[FAKE] - no threads beside it: ModuleNotFoundError" in said
