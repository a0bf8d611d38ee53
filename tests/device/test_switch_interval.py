"""setswitchinterval(seconds): how long a computing thread keeps the GIL while others compute."""

import _thread
import time

import pytest
from prelude import start_computing


def switches_in(ms):
    """Returns how often two computing threads take turns in that time."""
    running = [True]
    switches = [0]
    last = [None]

    def compute(me):
        while running:
            if last[0] != me:
                last[0] = me
                switches[0] += 1

    for me in range(2):
        _thread.start_new_thread(compute, (me,))
    time.sleep_ms(ms)
    running.clear()
    while len(_thread._threads()) > 1:
        time.sleep_ms(5)
    return switches[0]


@pytest.mark.rows("seconds, least, most", [(0.005, 60, 84), (0.02, 16, 22), (0.1, 3, 6)])
def test_threads_take_turns_of_it(seconds, least, most):
    _thread.setswitchinterval(seconds)
    assert abs(_thread.getswitchinterval() - seconds) < 1e-5
    assert least <= switches_in(400) <= most


# Each test begins after a soft reset, and the one above has changed it.
def test_default_is_5_ms():
    assert abs(_thread.getswitchinterval() - 0.005) < 1e-6


@pytest.mark.rows("seconds", [1, 1000, 0.000001])
def test_limits_are_allowed(seconds):
    _thread.setswitchinterval(seconds)
    assert abs(_thread.getswitchinterval() - seconds) <= seconds * 1e-5


def test_less_than_a_microsecond_is_one():
    _thread.setswitchinterval(1e-8)
    assert abs(_thread.getswitchinterval() - 1e-6) < 1e-8


@pytest.mark.rows("wrong", [0, 0.0, -0.005, -1, 1000.1, 1e30])
def test_others_are_value_errors_and_change_nothing(wrong):
    try:
        _thread.setswitchinterval(wrong)
        assert False
    except ValueError:
        pass
    assert abs(_thread.getswitchinterval() - 0.005) < 1e-6


def test_not_a_number():
    for wrong in (float("nan"), float("inf")):
        try:
            _thread.setswitchinterval(wrong)
            assert False
        except ValueError:
            pass
    for wrong in ("1", None):
        try:
            _thread.setswitchinterval(wrong)
            assert False
        except TypeError:
            pass


@pytest.mark.lane("hours", "RPI_PICO")
def test_a_long_interval_does_not_keep_a_sleeper_waiting():
    _thread.setswitchinterval(10)
    running = start_computing(4)
    start = time.ticks_us()
    for _ in range(10):
        time.sleep_ms(5)
    took = time.ticks_diff(time.ticks_us(), start)
    running.clear()
    assert 50_000 <= took <= 80_000, took
