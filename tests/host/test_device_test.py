"""A device test file becomes tests and scripts."""

import re
import sys
import traceback
from pathlib import Path

import pytest

from modthread.errors import ModthreadError
from modthread.plugin.device_test import DeviceTest, DeviceTestFile

FILE = '''\
"""Module text."""
import pytest
import time

LIMIT = 3


def helper():
    return LIMIT


@pytest.mark.lane("long")
@pytest.mark.device_timeout(
    2 * 60
)
def test_one():
    assert helper() == 3


@pytest.mark.parametrize("size", [4096, -1, None, "text", (1, 2)])
@pytest.mark.parametrize("a, b", [(1, 2.5), (True, "x")])
def test_many(size, a, b):
    raise ValueError(size)
'''


def read_tests(tmp_path: Path, text: str) -> list[DeviceTest]:
    path = tmp_path / "test_it.py"
    path.write_text(text, encoding="utf-8")
    return list(DeviceTestFile(path).tests())


def test_one_test_per_function_and_parameter_set(tmp_path: Path) -> None:
    tests = read_tests(tmp_path, FILE)
    assert [test.name for test in tests] == ["test_one"] + ["test_many"] * 10
    assert tests[0].ids == ()
    ids = ["-".join(test.ids) for test in tests[1:]]
    assert ids[:6] == [
        "1-2.5-4096",
        "1-2.5--1",
        "1-2.5-None",
        "1-2.5-text",
        "1-2.5-size4",
        "True-x-4096",
    ]


def test_marks(tmp_path: Path) -> None:
    one, *many = read_tests(tmp_path, FILE)
    assert [(mark.name, mark.args) for mark in one.marks] == [
        ("lane", ("long",)),
        ("device_timeout", (120,)),
    ]
    assert one.line == 16
    assert all(test.marks == () for test in many)


def test_only_this_function_is_sent_and_lines_stay(tmp_path: Path) -> None:
    one, *many = read_tests(tmp_path, FILE)
    original = FILE.splitlines()
    sent = one.source.splitlines()
    assert sent[-1] == "test_one()"
    for number, line in enumerate(sent[: len(original)]):
        assert line in ("", original[number])
    assert sent[15] == "def test_one():"
    assert "pytest" not in one.source
    assert "test_many" not in one.source
    assert "test_one" not in many[0].source
    assert many[-1].source.splitlines()[-1] == "test_many(a=True, b='x', size=(1, 2))"


WORDS = '''\
"""The file."""
# What it needs.
import gc

class Helper:
    """Helps."""

def nothing():
    """A docstring that is the whole function."""

def one(): """In its line."""; return "# no comment"  # a comment

def test_a():
    """Two
    lines."""
    # More words.
    text = """
# a string """  # and a comment
    return text, Helper, nothing, one
'''


def test_no_words_are_sent_and_lines_stay(tmp_path: Path) -> None:
    (test,) = read_tests(tmp_path, WORDS)
    sent = test.source.splitlines()
    assert [line for line in sent if line] == [
        "import gc",
        "class Helper:",
        '    """Helps."""',
        "def nothing():",
        '    """A docstring that is the whole function."""',
        'def one(): """In its line."""; return "# no comment"',
        "def test_a():",
        '    text = """',
        '# a string """',
        "    return text, Helper, nothing, one",
        "test_a()",
    ]
    assert sent[12] == "def test_a():"
    assert sent[18] == "    return text, Helper, nothing, one"


HELPERS = """\
def used(): return later()
@decorated
def unused():
    return used()
class Unused(Base): pass
class Base: pass
def later(): return Base
def in_a_string(): pass
def parameter(): pass
@pytest.mark.parametrize("name", ["parameter"])
def test_a(name):
    used()
    eval("in_a_string")()
"""


def test_what_a_test_has_no_use_for_is_not_sent(tmp_path: Path) -> None:
    (test,) = read_tests(tmp_path, HELPERS)
    sent = test.source.splitlines()
    assert [number for number, line in enumerate(sent, 1) if line] == [
        1,
        *range(6, 10),
        *range(11, 15),
    ]
    prelude = "import gc\ndef one(): two()\ndef two(): pass\ndef three(): pass\n"
    (tmp_path / "prelude.py").write_text(prelude)
    for imported, kept in (("one", "ab"), ("two", "b"), ("three", "c"), ("*", "abc")):
        (test,) = read_tests(tmp_path, f"from prelude import {imported}\ndef test_a(): pass\n")
        line = test.source.splitlines()[0]
        found = {"a": "def one(", "b": "def two(", "c": "def three("}
        assert [name for name, text in found.items() if text in line] == list(kept)
        assert "import gc" in line


def test_the_prelude_is_sent_in_one_line_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "prelude.py").write_text("\ndef fail():\n    assert False\n")
    (test,) = read_tests(tmp_path, "from prelude import fail\n\ndef test_a():\n    fail()\n")
    assert test.source.splitlines()[2:] == ["def test_a():", "    fail()", "test_a()"]
    with pytest.raises(AssertionError) as caught:
        exec(test.source, {})
    place = caught.traceback[-1]
    assert (place.frame.code.raw.co_filename, place.lineno + 1) == ("prelude.py", 3)


def test_equal_parameters_are_numbered_as_in_pytest(tmp_path: Path) -> None:
    values = [7, 7, "a", "a", "a0", "", ""]
    function = f"@pytest.mark.parametrize('x', {values})\ndef test_a(x): pass\n"
    ids = [test.ids[0] for test in read_tests(tmp_path, function)]
    assert ids == ["7_0", "7_1", "a1", "a2", "a0", "0", "1"]


def test_parameters_with_names_and_marks_of_their_own(tmp_path: Path) -> None:
    entries = "[(1, 2), pytest.param(3, 4, id='big', marks=pytest.mark.lane('long', 'ONE'))]"
    function = f"@pytest.mark.parametrize('a, b', {entries})\ndef test_it(a, b): pass\n"
    plain, big = read_tests(tmp_path, function)
    assert (plain.ids, plain.marks) == (("1-2",), ())
    assert big.ids == ("big",)
    assert [(mark.name, mark.args) for mark in big.marks] == [("lane", ("long", "ONE"))]
    assert big.source.splitlines()[-1] == "test_it(a=3, b=4)"


ROWS = """\
import pytest

@pytest.mark.parametrize("limit", [2, 9])
@pytest.mark.rows("number, name", [(1, "one"), (2, "two"), (3, "three")])
def test_it(number, name, limit):
    seen.append(name)
    assert number < limit, name
"""


def test_rows_are_one_test_that_tells_each_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "print_exception", traceback.print_exception, raising=False)
    fails, passes = read_tests(tmp_path, ROWS)
    assert (fails.ids, passes.ids) == (("2",), ("9",))
    seen: list[str] = []
    exec(passes.source, {"seen": seen})
    assert (seen, *capfd.readouterr()) == (["one", "two", "three"], "", "")
    message = r"^fails with 2 of 3 rows: \[{'number': 2, 'name': 'two'}, {.*: 'three'}\]$"
    with pytest.raises(AssertionError, match=message):
        exec(fails.source, {"seen": seen})
    assert seen == 2 * ["one", "two", "three"]
    printed = capfd.readouterr()
    assert printed.out.splitlines()[1] == "test_it with {'number': 3, 'name': 'three'}"
    assert "line 7, in test_it\n" in printed.err
    assert printed.err.count("AssertionError") == 2


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        ("@pytest.mark.rows('x', [1])\n" * 2, "test_a has several marks rows; write one"),
        ("@pytest.mark.rows('x', [])\n", "rows has no values; write one, or drop the test"),
        ("@pytest.mark.rows('y', [1])\n", "test_a takes ['x'], parametrize gives ['y']"),
        (
            "@pytest.mark.rows('x', [pytest.param(1, marks=pytest.mark.skip)])\n",
            "a row has no marks; write parametrize for this one",
        ),
    ],
)
def test_wrong_rows(marks: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ModthreadError, match=f": {re.escape(why)}$"):
        read_tests(tmp_path, f"{marks}def test_a(x): pass\n")


def test_classes_without_tests_are_helpers(tmp_path: Path) -> None:
    text = "class TestDouble:\n    def answer(self): pass\n\ndef test_a(): pass\n"
    assert [test.name for test in read_tests(tmp_path, text)] == ["test_a"]


def test_a_byte_order_mark_is_not_sent(tmp_path: Path) -> None:
    (test,) = read_tests(tmp_path, "\ufeffdef test_a(): pass\n")
    assert test.source.startswith("def test_a()")


@pytest.mark.parametrize("content", [b"# \xe4\n", b"x = 1\0\n"])
def test_what_is_no_text_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "test_it.py"
    path.write_bytes(content)
    with pytest.raises(ModthreadError, match=rf"^{path}:[^\n]+$"):
        DeviceTestFile(path)


def test_a_form_feed_is_no_line(tmp_path: Path) -> None:
    (test,) = read_tests(tmp_path, "text = '\x0c \x1c \u2028'\ndef test_a():\n    pass\n")
    assert test.source.split("\n")[1] == "def test_a():"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("def test_a(:\n", 1, "invalid syntax"),
        ("\nimport pytest, sys\n\ndef test_a(): pass\n", 2, "on a line of its own"),
        ("from pytest import mark\n\ndef test_a(): pass\n", 1, "on a line of its own"),
        ("import pytest\n@other\ndef test_a(): pass\n", 2, "only @pytest.mark"),
        ("import pytest\n@pytest.mark.x(LIMIT)\ndef test_a(): pass\n", 2, "only constants"),
        ("def test_a(size): pass\n", 1, "takes ['size'], parametrize gives []"),
        ("@pytest.mark.parametrize('a, b', [(1,)])\ndef test_a(a, b): pass\n", 2, "not 2 values"),
        ("@pytest.mark.parametrize('a', [1], ids=['x'])\ndef test_a(a): pass\n", 2, "nothing else"),
        ("import pytest; X = 1\ndef test_a(): pass\n", 1, "on a line of its own"),
        ("import prelude\ndef test_a(): pass\n", 1, "write `from prelude import NAME`"),
        ("x = 1; from prelude import a\ndef test_a(): pass\n", 1, "on a line of its own"),
        ("\nfrom prelude import a\ndef test_a(): pass\n", 2, "prelude.py"),
        ("\nasync def test_a(): pass\n", 2, "async def test_a: write a function that calls"),
        ("class TestA:\n    def test_a(self): pass\n", 1, "class TestA: write functions without"),
        ("@pytest.mark.parametrize('a', [])\ndef test_a(a): pass\n", 2, "has no values"),
        ("@pytest.mark.parametrize('a', [1e999])\ndef test_a(a): pass\n", 2, "write inf in the"),
        ("@pytest.mark.parametrize('a', [[-1e999]])\ndef test_a(a): pass\n", 2, "write [-inf] in"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ModthreadError) as caught:
        read_tests(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'test_it.py'}:{line}: ")
    assert message in said
    assert "\n" not in said
