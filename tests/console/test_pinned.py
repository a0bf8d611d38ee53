"""Ctrl-C while another thread has pinned the GIL: C code calls Python in it, and that goes on."""

import pytest
from console import Console

LIMIT = 180.0  # a second of an emulated RPI_PICO lasts half a minute

# In a thread, where C code calls it, so that main cannot run meanwhile.
PINNED = """
import _thread, time
inside = []
ended = []
class Key:
    def __init__(self, body):
        self.body = body
    def __hash__(self):
        return 7
    def __eq__(self, other):
        print('begin')
        self.body()
        return False
def for_ever():
    while True:
        pass
def for_a_while():
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < 100:
        pass
def look_up(body):
    names = {Key(body): 1}
    inside.append(1)
    try:
        names.get(Key(body))
        ended.append('found')
    except Exception as error:
        ended.append(repr(error))
def run(body):
    inside.clear()
    ended.clear()
    _thread.start_new_thread(look_up, (body,))
    while True:
        pass
"""


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        pytest.param(
            "for_ever",
            ["RuntimeError('interrupted',)"],
            marks=pytest.mark.lane("hours", "RPI_PICO"),
        ),
        ("lambda: time.sleep(1000)", ["RuntimeError('interrupted',)"]),
        ("for_a_while", ["found"]),
    ],
)
def test_ctrl_c(console: Console, body: str, ended: list[str]) -> None:
    """Main gets its exception within seconds; what does return is left alone."""
    console.run(PINNED)
    for _ in range(2):
        console.start(f"run({body})")
        console.expect(b"begin\r\n")
        output = console.interrupt(LIMIT)
        assert output.endswith("KeyboardInterrupt: \r\n"), output
        console.value("time.sleep_ms(300)")
        assert console.value("(len(inside), ended)") == (1, ended)
        assert console.value("len(_thread._threads())") == 1
    console.soft_reset()
