"""Reports of a run of device tests, for programs and for people."""

import json
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

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
    if not os.path.exists("been-here"):
        open("been-here", "w").close()
        assert False, "only once"
"""


@pytest.mark.parametrize("parallel", [[], ["-n", "2"]], ids=["alone", "parallel"])
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
