"""Ctrl-C stops the main program wherever it waits, and nothing but the main program."""

import pytest
from console import Console

THREADS = """
import _thread, micropython, select, sys, time
lock = _thread.allocate_lock()
lock.acquire()
beats = [0] * {busy}
hit = []
def beat(slot):
    try:
        while True:
            beats[slot] += 1
    except KeyboardInterrupt:
        hit.append(slot)
for slot in range({busy}):
    _ = _thread.start_new_thread(beat, (slot,))
def with_lock():
    with lock:
        pass
def join():
    thread = _thread.start_new_thread(lock.acquire, ())
    while any(row[0] == thread for row in _thread._threads()):
        time.sleep_ms(5)
def compute():
    while True:
        pass
def poll():
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    poller.poll()
"""

WAITS = [
    "lock.acquire()",
    "lock.acquire(1, 1000)",
    "with_lock()",
    "time.sleep(1000)",
    "time.sleep_ms(1000000)",
    "time.sleep_us(100000000)",
    "join()",
    "compute()",
    "poll()",
    "sys.stdin.read(1)",
]


@pytest.mark.parametrize("busy", [0, pytest.param(4, marks=pytest.mark.lane("long", "RPI_PICO"))])
@pytest.mark.parametrize("wait", WAITS)
def test_out_of(console: Console, wait: str, busy: int) -> None:
    console.run(THREADS.format(busy=busy))
    for _ in range(3):
        console.start(f"print('begin')\n{wait}\nprint('end')")
        console.expect(b"begin\r\n")
        output = console.interrupt()
        assert output.endswith("KeyboardInterrupt: \r\n"), output
        assert "end" not in output
    assert console.value("lock.locked()") is True
    assert console.value("lock.release()") is None
    if wait != "join()":  # there, threads that wait have taken it
        assert console.value("(lock.locked(), lock.acquire(0))") == (False, True)
    before = console.value("list(beats)")
    console.value("time.sleep_ms(100)")
    after = console.value("list(beats)")
    assert all(a > b for a, b in zip(after, before, strict=True)), f"{before} -> {after}"
    assert console.value("hit") == [], "a thread was hit"


def test_interrupted_waiter_leaves_the_queue(console: Console) -> None:
    """The waiters before and behind main are served in their order; main is out."""
    console.run(
        THREADS.format(busy=0)
        + """
served = []
main = _thread.get_ident()
def until_waiting(ident):
    while not any(row[:2] == (ident, 'waiting') for row in _thread._threads()):
        time.sleep_ms(5)
def until_alone():
    while len(_thread._threads()) > 1:
        time.sleep_ms(5)
def wait(number):
    lock.acquire()
    served.append(number)
    lock.release()
def wait_behind_main():
    until_waiting(main)
    until_waiting(_thread.start_new_thread(wait, (2,)))
    print('all wait')
until_waiting(_thread.start_new_thread(wait, (1,)))
"""
    )
    console.start("_ = _thread.start_new_thread(wait_behind_main, ())\nlock.acquire()")
    assert console.expect(b"all wait\r\n") == ""
    assert "KeyboardInterrupt" in console.interrupt()
    assert console.value("lock.release()") is None
    console.value("until_alone()")
    assert console.value("(served, lock.locked())") == ([1, 2], False)


def test_at_the_moment_of_the_release(console: Console) -> None:
    """The main thread has the lock, or it was interrupted: exactly one of the two."""
    console.run(
        """
import _thread, time
def attempt(us):
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(lambda: (time.sleep_us(us), lock.release()), ())
    got = False
    print('begin')
    try:
        got = lock.acquire()
        time.sleep(1000)
    except KeyboardInterrupt:
        pass
    while len(_thread._threads()) > 1:
        time.sleep_ms(1)
    return got, lock.locked()
"""
    )
    outcomes = {True: 0, False: 0}
    delay = 4000.0  # us
    for _ in range(60):
        console.send(f"attempt({delay:.0f})\r".encode())
        console.expect(b"begin\r\n")
        console.send(b"\x03")
        output = console.expect(b">>> ").strip()
        assert output in ("(True, True)", "(False, False)"), f"(acquired, locked): {output}"
        got = output == "(True, True)"
        outcomes[got] += 1
        delay = delay * 1.4 + 50 if got else delay / 1.4  # follow the moment of Ctrl-C
    assert min(outcomes.values()) >= 10, f"the race was not met: {outcomes}"


@pytest.mark.parametrize("busy", [0, 4])
def test_at_the_prompt(console: Console, busy: int) -> None:
    console.run(THREADS.format(busy=busy))
    for _ in range(10):
        console.interrupt()
    assert console.value("hit") == []
    assert console.value("len(_thread._threads())") == busy + 1
