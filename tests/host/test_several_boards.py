"""One test that holds two boards, and lets them talk."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from modthread._base import project
from modthread._boards.boards import DEFAULT
from modthread._link.session import TimeLimitError
from modthread.device import Device
from modthread.several_boards import run_together

pytestmark = pytest.mark.lane("test")  # emulated boards run the firmware

Devices = Callable[..., list[Device]]

PING = """
import sys
for number in range(20):
    print("ping", number)
    assert sys.stdin.readline() == "pong %d\\n" % number
"""
PONG = """
import sys
for number in range(20):
    assert sys.stdin.readline() == "ping %d\\n" % number
    print("pong", number)
"""


def test_two_boards_talk(devices: Devices) -> None:
    ends = run_together(devices(DEFAULT, DEFAULT), [PING, PONG], limit=30, connected=True)
    assert [end.error for end in ends] == [b"", b""]
    assert ends[0].output == b"".join(b"ping %d\r\n" % number for number in range(20))
    assert ends[1].output == b"".join(b"pong %d\r\n" % number for number in range(20))


def test_the_example_in_the_documentation(devices: Devices) -> None:
    page = (project.ROOT / "docs/device-tests.md").read_text()
    (example,) = re.findall(r"```python\n(from modthread.several_boards.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    names["test_two_boards_talk"](devices)


def test_an_answer_that_is_not_expected_is_seen(devices: Devices) -> None:
    boards = devices(DEFAULT, DEFAULT)
    ends = run_together(boards, [PING, "print('no')"], limit=30, connected=True)
    assert ends[0].error.rstrip().endswith(b"AssertionError:")
    assert ends[1].error == b""


def test_one_that_hangs_does_not_keep_the_other(devices: Devices) -> None:
    one, other = boards = devices(DEFAULT, DEFAULT)
    started = time.monotonic()
    with pytest.raises(TimeLimitError):
        run_together(boards, ["while True: pass", "print(6 * 7)"], limit=2)
    assert time.monotonic() - started < 120
    for device in (one, other):
        assert device.clean_up()
        assert device.run("print(1)", 10).output == b"1\r\n"


def test_a_kind_that_nobody_has_is_one_line(devices: Devices) -> None:
    with pytest.raises(pytest.fail.Exception, match="unknown board 'NOPE'; known boards: "):
        devices(DEFAULT, "NOPE")
