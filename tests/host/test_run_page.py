"""Reports of a run of device tests, for programs and for people."""

import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from modthread._base import project
from modthread._boards import boards
from modthread._firmware import build

pytestmark = pytest.mark.lane("test")  # each is a run of pytest

PARALLEL = [
    pytest.param([], id="alone", marks=pytest.mark.lane("long")),
    pytest.param(["-n", "2"], id="parallel"),
]

COMMANDS = [
    line
    for block in re.findall(
        r"^```sh\n(.*?)^```",
        (project.ROOT / "docs/reports.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
    for line in block.splitlines()
]
Make = Callable[..., str]
Run = Callable[..., subprocess.CompletedProcess[str]]

TESTS = """\
import os
import pytest

def helper(n):
    assert n == 3, "not three <of them>"

@pytest.mark.parametrize("n", [3, 4])
def test_numbers(n):
    print("hello", n)
    helper(n)

def test_flaky():
    try:
        os.mkdir("been-here")
    except FileExistsError:
        return
    assert False, "only once"
"""


@pytest.mark.parametrize("parallel", PARALLEL)
def test_junit(run: Run, fake_board: Make, tmp_path: Path, parallel: list[str]) -> None:
    junit = tmp_path / "junit.xml"
    boards = ["--board", fake_board("ONE"), "--board", fake_board("TWO")]
    output = ["--junitxml", str(junit), "-o", "junit_logging=system-out"]
    run(TESTS, *boards, *parallel, *output, "-k", "numbers")
    cases = {case.get("name"): case for case in ET.parse(junit).getroot().iter("testcase")}
    assert {*cases} == {f"test_numbers[{n}-{board}]" for n in (3, 4) for board in ("ONE", "TWO")}
    case = cases["test_numbers[4-TWO]"]
    assert case.get("classname") == "tests.device.test_it"
    properties = {p.get("name"): str(p.get("value")) for p in case.iter("property")}
    assert properties["board"] == "TWO"
    assert properties["firmware"].endswith("modthread fake, no kernel")
    assert "hello 4" in (tmp_path / "project" / properties["log"]).read_text()
    failure, output_element = case.find("failure"), case.find("system-out")
    assert failure is not None
    assert output_element is not None
    assert failure.get("message") == "AssertionError: not three <of them>"
    assert str(failure.text).startswith(
        "tests/device/test_it.py:10: in test_numbers\n    helper(n)"
    )
    assert "To run it again: pytest 'tests/device/test_it.py::test_numbers[4-TWO]'" in str(
        failure.text
    )
    assert "hello 4" in str(output_element.text)


def test_flaky_test_passes_at_its_second_attempt_and_says_so(
    run: Run, fake_board: Make, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    result = run(TESTS, "--board", fake_board(), "--reruns=1", f"--report-log={log}", "-k", "flaky")
    assert "1 passed, 1 rerun" in result.stdout.replace(", 2 deselected", "")
    calls = [
        one for one in map(json.loads, log.read_text().splitlines()) if one.get("when") == "call"
    ]
    assert [call["outcome"] for call in calls] == ["rerun", "passed"]
    assert "AssertionError: only once" in calls[0]["longrepr"]
    first, second = (dict(call["user_properties"]) for call in calls)
    assert second == first | {"attempt": "2", "log": second["log"]}
    assert "only once" in (tmp_path / "project" / first["log"]).read_text()
    assert "AssertionError" not in (tmp_path / "project" / second["log"]).read_text()
    assert calls[1]["sections"] == []


class Page(HTMLParser):
    """A page's text as a person reads it, and where its tags lead; a tag left open fails."""

    VOID = ("meta", "br", "rect", "line")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = ""
        self.leads: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(path.read_text())
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self._open.append(tag)
        elif tag == "br":
            self.text += " "
        self.leads += [str(value) for key, value in attributes if key in ("href", "src")]
        self.ids += [str(value) for key, value in attributes if key == "id"]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.text = re.sub(r"[ \n]+", " ", self.text + data)


@pytest.mark.parametrize("parallel", PARALLEL)
def test_page_has_everything(
    run: Run, fake_board: Make, tmp_path: Path, parallel: list[str]
) -> None:
    path = tmp_path / "pages" / "page.html"
    options = ["--board", fake_board("ONE"), "--board", fake_board("TWO"), "--reruns=1"]
    result = run(TESTS, *options, *parallel, f"--report-page={path}")
    assert f"generated report page: {path}" in result.stdout
    page = Page(path)
    for text in (
        "Tests on ONE, TWO 2 failed 1 flaky 3 passed Started",
        "failed tests/device/test_it.py::test_numbers[4-ONE] AssertionError: not three <of them>",
        "E AssertionError: not three <of them> To run it again: pytest 'tests/device/test_it.py",
        "tests/device/test_it.py, line 5, in helper 2 import pytest 3 4 def helper(n): > 5 assert",
        "Output hello 4",
        "Log build/logs/tests_device_test_it.py_test_numbers[4-TWO].log",
        "flaky tests/device/test_it.py::test_flaky",
        "Attempt 1: failed",
        "AssertionError: only once",
        "Attempt 2: passed",
        "modthread fake no kernel",
    ):
        assert text in page.text
    # Nothing is loaded, and what is linked is there.
    assert page.leads
    assert {lead.removeprefix("#") for lead in page.leads} <= {*page.ids}
    assert all(lead.startswith("#") for lead in page.leads)
    assert not re.search(r"url\(|@import|<script|<link", path.read_text())


def test_page_tells_what_cannot_be_collected(run: Run, fake_board: Make, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    run("def test_it(x): pass\n", "--board", fake_board(), f"--report-page={path}")
    page = Page(path)
    assert "1 error" in page.text
    assert "test_it.py:1: test_it takes ['x'], parametrize gives []" in page.text


def test_a_page_that_is_there_is_not_taken_for_a_test(
    run: Run, fake_board: Make, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    for _ in range(2):
        result = run(TESTS, "--board", fake_board(f"B{_}"), "--report-page", str(path), "-k3")
        assert result.returncode == 0, result.stdout + result.stderr


def test_firmware_that_records_nothing_is_refused(run: Run, fake_board: Make) -> None:
    result = run(TESTS, "--board", fake_board(), "--thread-trace")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: this firmware records no threads; put one on the board that does" in (
        result.stderr
    )


THREADS = """\
import _thread, time

def test_sleeps():
    _thread.start_new_thread(time.sleep_ms, (20,))
    time.sleep_ms(30)

def test_hangs():
    lock = _thread.allocate_lock()
    lock.acquire()
    lock.acquire()
"""


@pytest.mark.lane("long")
def test_page_has_the_threads_of_each_test(run: Run, tmp_path: Path) -> None:
    build.firmware(replace(boards.load(boards.DEFAULT), traced=True))
    path = tmp_path / "page.html"
    run(THREADS, "--thread-trace", "--device-timeout=5", f"--report-page={path}")
    page = Page(path)
    assert "1 failed 1 passed" in page.text
    assert re.search(r"function \(2\): sleeping, [\d.]+ ms from", page.text)
    assert "main (1): waiting for lock 0x" in page.text
    for name in ("sleeps", "hangs"):
        trace = f"build/logs/tests_device_test_it.py_test_{name}[{boards.DEFAULT}].trace.json"
        assert trace in page.text
        assert json.loads((tmp_path / "project" / trace).read_text())["traceEvents"]


@pytest.mark.lane("long")
@pytest.mark.parametrize("command", COMMANDS)
def test_documented_command_writes_its_file(
    run: Run, fake_board: Make, tmp_path: Path, command: str
) -> None:
    program, *words = shlex.split(command)
    [target] = re.findall(r"build/\S+", command)
    if "--thread-trace" in words:
        build.firmware(replace(boards.load(boards.DEFAULT), traced=True))
    if program == "pytest":
        where = [] if "--thread-trace" in words else ["--board", fake_board()]
        result, root = run("def test_it(): pass", *where, *words), tmp_path / "project"
        assert result.returncode == 0, result.stdout + result.stderr
    else:
        root = project.ROOT
        (root / target).unlink(missing_ok=True)
        subprocess.run([sys.executable, "-m", program, *words], cwd=root, check=True, timeout=300)
    assert (root / target).stat().st_size > 0
