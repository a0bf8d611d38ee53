"""Callbacks that raise, and Ctrl-C while callbacks run."""

import pytest
from console import Console

COMMON = """
import _thread, gc, machine, micropython, sys, time
class Unprintable(Exception):
    def __repr__(self):
        raise ValueError("deliberate")
def fail(_):
    raise Unprintable
def compute(ms):
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < ms:
        pass
def periodic(period, callback):
    number = 0 if sys.platform == 'esp32' else -1
    return machine.Timer(number, period=period, callback=callback)
ran = []
"""


def assert_callbacks_run(console: Console) -> None:
    assert console.run("__import__('micropython').schedule(print, 'ran')") == "ran\r\n"


@pytest.mark.parametrize("main_is", ["computing", "sleeping"])
def test_one_whose_exception_cannot_be_printed(console: Console, main_is: str) -> None:
    console.run(COMMON)
    wait = {"computing": "compute(50)", "sleeping": "time.sleep_ms(50)"}[main_is]
    output = console.run(f"micropython.schedule(fail, None)\n{wait}\nprint('main goes on')")
    assert "ValueError: deliberate\r\n" in output, output
    assert output.endswith("main goes on\r\n"), output
    assert_callbacks_run(console)


def test_one_that_fails_while_main_waits_for_a_lock(console: Console) -> None:
    console.run(COMMON)
    output = console.run(
        """
lock = _thread.allocate_lock()
_ = lock.acquire()
def schedule():
    time.sleep_ms(20)
    micropython.schedule(fail, None)
_ = _thread.start_new_thread(schedule, ())
print(lock.acquire(1, 0.1))
lock.release()
print(lock.locked(), lock.acquire(0), lock.acquire(1, 0.05))
"""
    )
    assert "ValueError: deliberate\r\n" in output, output
    assert output.endswith("False\r\nFalse True False\r\n"), output
    assert_callbacks_run(console)


def test_a_waiter_comes_back_to_its_place_after_a_callback(console: Console) -> None:
    console.run(COMMON)
    output = console.run(
        """
lock = _thread.allocate_lock()
_ = lock.acquire()
served = []
def wait():
    lock.acquire()
    served.append('thread')
    lock.release()
def behind_main():
    time.sleep_ms(20)
    _thread.start_new_thread(wait, ())
    time.sleep_ms(20)
    micropython.schedule(ran.append, None)
    time.sleep_ms(20)
    lock.release()
_ = _thread.start_new_thread(behind_main, ())
_ = lock.acquire()
served.append('main')
lock.release()
time.sleep_ms(20)
print(served, len(ran))
"""
    )
    assert output == "['main', 'thread'] 1\r\n", output


def test_an_uncaught_exception_that_cannot_be_printed(console: Console) -> None:
    console.run(COMMON)
    assert "ValueError: deliberate" in console.run("raise Unprintable")
    assert console.value("1 + 1") == 2


@pytest.mark.parametrize(
    "wait",
    [
        "compute(1)",
        pytest.param("time.sleep_ms(1)", marks=pytest.mark.lane("long", "RPI_PICO")),
        pytest.param("lock.acquire(1, 1)", marks=pytest.mark.lane("long", "RPI_PICO")),
    ],
)
def test_ctrl_c_beside_callbacks_that_take_most_of_the_time(console: Console, wait: str) -> None:
    """It stops the main program at the first attempt, and no callback."""
    console.run(COMMON)
    for _ in range(6):
        console.start(
            f"""
lock = _thread.allocate_lock()
_ = lock.acquire()
hit = []
def callback(_):
    try:
        ran.append(None)
        if len(ran) == 3:
            print('begin')
        compute(18)
    except KeyboardInterrupt:
        hit.append(None)
ran.clear()
timer = periodic(20, callback)
while True:
    {wait}
"""
        )
        console.expect(b"begin\r\n")
        while_running = console.interrupt()
        assert while_running.endswith("KeyboardInterrupt: \r\n"), while_running
        console.value("timer.deinit()")
        assert console.value("len(hit)") == 0, "a callback has swallowed it"


SECOND_OF_A_SLOW_BOARD = 200.0  # of this host's seconds, for a second that the board computes

ENDLESS = """
def callback(_):
    print('begin')
    while True:
        {wait}
micropython.schedule(callback, None)
while True:
    pass
"""


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("wait", ["pass", "time.sleep(1000)"])
def test_ctrl_c_beside_a_callback_that_never_ends(
    console: Console, wait: str, attempts: int
) -> None:
    """A second one ends it at once, and so does a second."""
    console.run(COMMON)
    console.start(ENDLESS.format(wait=wait))
    console.expect(b"begin\r\n")
    for _ in range(attempts):
        console.send(b"\x03")
    output = console.expect(b">>> ", SECOND_OF_A_SLOW_BOARD)
    assert output.count("KeyboardInterrupt: \r\n") == 2, output  # the callback's, and main's
    assert "in callback" in output
    assert_callbacks_run(console)
