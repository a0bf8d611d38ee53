"""CPython's own tests as the harness runs them: real runs of pytest on tests made here."""

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from modthread._base.project import ROOT
from modthread.errors import ModthreadError
from modthread.plugin import cpython_source

# A board of the host's Python has all that these need.
LOADER = """
import sys
import unittest
files, made = {}, {}
def begin(*shims):
    unittest.TestCase.run = lambda case: (case.setUp(), getattr(case, case._testMethodName)())
def names_of(file):
    return files.setdefault(file, {})
def load(file, line, text, base=None):
    names_of(file)["_base"] = base
    exec(compile("\\n" * (line - 1) + text, file, "exec"), files[file])
def import_(file, statement, name):
    exec(statement, names_of(file))
def run(name, method):
    made[name](method).run()
"""
LOCK_TESTS = """
    import unittest

    LIMIT = 3

    class LockTests(unittest.TestCase):
        def test_inherited(self):
            assert self.kind() < LIMIT
"""
TESTS = """
    import time, unittest
    from test import lock_tests
    from .util import first

    def unused():
        import nothing

    class Left:
        def setUp(self):
            super().setUp()
            self.left = True

    class Right:
        def setUp(self):
            self.right = first()

    class OrderTests(Left, Right, unittest.TestCase):
        def test_order(self):
            assert self.left and self.right == 1

    class LockTests(lock_tests.LockTests):
        kind = staticmethod(lambda: 2)

        def test_known(self):
            raise ValueError("as the table says")

        def test_passes_by_now(self):
            pass

        def test_fails_otherwise(self):
            raise ValueError("otherwise")

        def test_fails(self):
            assert time is None, "a line to find"
"""
CANNOT = """
[[cannot]]
reason = "for a reason"
error = "ValueError: as the table says"
tests = ["LockTests.test_known", "LockTests.test_pa*", "*.test_fails_otherwise"]
"""

TABLE = """
files = ["test_some.py", "test_not_in_this_version.py"]
[made]
MadeTests = ["OrderTests"]
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, fake_board: Callable[..., str]) -> Run:
    """Return a function that runs a table of CPython's tests on the fake board."""
    theirs, ours = tmp_path / "python3.13" / "test", tmp_path / "project" / "tests" / "cpython"
    files = {
        theirs / "lock_tests.py": textwrap.dedent(LOCK_TESTS),
        theirs / "test_some.py": textwrap.dedent(TESTS),
        theirs / "util.py": "def first():\n    return second()\n\ndef second():\n    return 1\n",
        ours / "loader.py": LOADER,
        ours / "unittest.py": "",
        ours / "support.py": "",
        ours / "cannot.toml": CANNOT,
        ours / "test_some.toml": TABLE,
        tmp_path / "project" / "pytest.ini": "[pytest]\n",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(*arguments: str, tests: str = str(theirs)) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "--config-file=pytest.ini", "--no-build", "-rA"]
        return subprocess.run(
            [*command, "--board", fake_board(), *arguments],
            cwd=tmp_path / "project",
            env=os.environ | {"CPYTHON_TESTS": tests, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.mark.lane("test")  # a run of pytest
def test_verdicts(run: Run) -> None:
    said = run().stdout
    name = r"tests/cpython/test_some.toml::(\w+::\w+)\[FAKE\]"
    assert re.findall(rf"^PASSED {name}$", said, re.MULTILINE) == [
        "OrderTests::test_order",
        "LockTests::test_known",
        "LockTests::test_inherited",
        "MadeTests::test_order",
    ]
    assert re.findall(rf"^FAILED {name} - (.*)", said, re.MULTILINE) == [
        ("LockTests::test_passes_by_now", "it passes by now: take it out of cannot.toml"),
        ("LockTests::test_fails_otherwise", "ValueError: otherwise"),
        ("LockTests::test_fails", "AssertionError: a line to find"),
    ]


@pytest.mark.lane("test")  # a run of pytest
def test_one_method(run: Run) -> None:
    said = run("tests/cpython/test_some.toml::LockTests::test_inherited").stdout
    assert "1 passed" in said
    assert "failed" not in said


@pytest.mark.lane("test")  # a run of pytest
def test_without_cpythons_tests_one_line_says_what_to_do(run: Run, tmp_path: Path) -> None:
    said = run(tests=str(tmp_path)).stdout
    assert f"CPYTHON_TESTS={tmp_path} has no lock_tests.py; correct it, or unset" in said


def test_methods_of_classes() -> None:
    """What unittest itself finds, where CPython's tests are."""
    for case in cpython_source.case_classes(suite("test_queue.py")):
        assert case.methods
    names = {case.name: case for case in cpython_source.case_classes(suite("test_threading.py"))}
    assert "test_notify" in names["EventTests"].methods
    assert "test_timeout" in names["LockTests"].methods  # of lock_tests.py
    script = names["EventTests"].script({"test_notify"})
    assert "def test_notify" in script
    assert "def test_timeout" not in script
    assert "class Bunch" in script
    assert "class BarrierTests" not in script


def test_no_test_is_in_two_rows_of_the_table() -> None:
    rows = tomllib.loads((ROOT / "tests/cpython/cannot.toml").read_text())["cannot"]
    patterns = [pattern for row in rows for pattern in row["tests"]]
    assert len(patterns) == len({*patterns})


def suite(name: str) -> cpython_source.Module:
    """Return one of CPython's files, where they are."""
    try:
        return cpython_source.Module(cpython_source.folder(), name)
    except ModthreadError as error:
        pytest.skip(str(error))
