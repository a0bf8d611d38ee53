"""The board answers within 50 ms of its own time, whatever Python threads do."""

import itertools

import pytest
from console import Console

TRIES = 25
LIMIT_US = 50_000

BUSY = """
import _thread, time
now = time.ticks_us
def beat():
    while True:
        pass
for _ in range({threads}):
    _ = _thread.start_new_thread(beat, ())
lock = _thread.allocate_lock()
_ = lock.acquire()
def wait():
    while True:
        try:
            print("at", now())
            {waiting}
        except KeyboardInterrupt:
            pass
"""
WAITING = {
    "acquire": "lock.acquire()",
    "timed acquire": "lock.acquire(1, 1000)",
    "sleep": "time.sleep(1000)",
    "compute": "beat()",
}


def check(times: list[int]) -> None:
    """`times` are the board's own, of one answer after the other."""
    each = sorted(later - earlier for earlier, later in itertools.pairwise(times))
    took = each[len(each) // 4]  # a low one: the host's time in between only ever adds
    print(f"an answer takes {took} us")
    assert took <= LIMIT_US


@pytest.mark.parametrize("threads", [0, 4])
@pytest.mark.parametrize("waiting", WAITING)
def test_ctrl_c(console: Console, waiting: str, threads: int) -> None:
    console.run(BUSY.format(threads=threads, waiting=WAITING[waiting]))
    console.send(b"wait()\r")
    times = []
    for _ in range(TRIES):
        console.expect(b"at ")
        times.append(int(console.expect(b"\r\n")))
        console.send(b"\x03")
    check(times)


@pytest.mark.parametrize("threads", [0, 8])
def test_prompt(console: Console, threads: int) -> None:
    console.run(BUSY.format(threads=threads, waiting="pass"))
    check([console.value("now()") for _ in range(TRIES)])
