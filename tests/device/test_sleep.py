"""Sleeping: never too short, not much too long, and the others run meanwhile."""

import _thread
import time

import pytest
from prelude import start_computing


def rate_beside(threads, function=None, *args):
    """How often a busy thread counts in 1000 ms beside threads that call function in a loop."""
    running = [True]
    count = [0]

    def beat():
        while running:
            count[0] += 1

    def repeat():
        while running:
            function(*args)

    _thread.start_new_thread(beat, ())
    for _ in range(threads):
        _thread.start_new_thread(repeat, ())
    time.sleep_ms(20)
    before = count[0]
    time.sleep_ms(1000)
    rate = count[0] - before
    running.clear()
    while len(_thread._threads()) > 1:
        time.sleep_ms(5)
    return rate


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("how", ["sleep_ms", "sleep", "acquire"])
def test_worker_keeps_its_rate_beside_short_sleeps(how):
    lock = _thread.allocate_lock()
    lock.acquire()
    short_sleep = {
        "sleep_ms": (time.sleep_ms, 5),
        "sleep": (time.sleep, 0.005),
        "acquire": (lock.acquire, 1, 0.005),
    }
    alone = rate_beside(0)
    beside = rate_beside(1, *short_sleep[how])
    print(f"beside {how} the worker kept {beside / alone:.1%}")
    assert beside >= 0.95 * alone, f"the worker kept {beside / alone:.1%} of its rate"


def test_short_sleeps_keep_their_rate_beside_a_worker():
    turns = [0]

    def turn():
        time.sleep_ms(5)
        turns[0] += 1

    rate_beside(1, turn)
    assert turns[0] > 80, f"{turns[0]} sleeps of 5 ms in 1000 ms beside a busy thread"


@pytest.mark.parametrize("name, unit", [("sleep_ms", 1000), ("sleep_us", 1)])
def test_never_early_and_at_most_two_ticks_late(name, unit):
    sleep = getattr(time, name)
    late = []
    for i in range(300):
        us = 1000 + i * 7919 % 9000
        start = time.ticks_us()
        sleep(us // unit)
        late.append(time.ticks_diff(time.ticks_us(), start) - us // unit * unit)
    print(f"{name} came {min(late)} to {max(late)} us late")
    assert min(late) >= 0, f"{-min(late)} us early"
    assert max(late) <= 2000, f"{max(late)} us late"


@pytest.mark.parametrize("busy", [0, 4])
def test_sleeping_in_threads(busy):
    running = start_computing(busy)
    late = []

    def doze(number):
        for i in range(30):
            ms = 5 + number + i % 7
            start = time.ticks_us()
            time.sleep_ms(ms)
            late.append(time.ticks_diff(time.ticks_us(), start) - ms * 1000)

    for number in range(4):
        _thread.start_new_thread(doze, (number,))
    start = time.ticks_ms()
    while len(late) < 120:
        assert time.ticks_diff(time.ticks_ms(), start) < 20000, f"{len(late)} of 120 sleeps"
        time.sleep_ms(20)
    running.clear()
    limit = 20000 if busy else 4000
    print(f"sleeps came {min(late)} to {max(late)} us late")
    assert min(late) >= 0, f"{-min(late)} us early"
    assert max(late) <= limit, f"{max(late)} us late"


def test_a_long_sleep_us_stops_nobody():
    """Only its last part, less than two ticks, may be spent waiting with the GIL held."""
    running = [True]

    def doze():
        while running:
            time.sleep_us(50000)

    _thread.start_new_thread(doze, ())
    late = []
    for _ in range(50):
        start = time.ticks_us()
        time.sleep_ms(7)
        late.append(time.ticks_diff(time.ticks_us(), start) - 7000)
    running.clear()
    assert max(late) <= 5000, f"a sleep of 7 ms came {max(late)} us late"


@pytest.mark.boards("MPS2_AN385", "RPI_PICO", "ESP32_GENERIC_C3")
@pytest.mark.parametrize("us", [200, 500, 1000, 2000, 7300])
def test_on_time_beside_threads_that_compute(us):
    running = start_computing(4)
    late = []
    for _ in range(100):
        start = time.ticks_us()
        time.sleep_us(us)
        late.append(time.ticks_diff(time.ticks_us(), start) - us)
    running.clear()
    late.sort()
    print(f"median {late[50]}, worst {late[-1]} us late")
    assert late[0] >= 0
    assert late[50] <= 100, f"{late[50]} us late"
    assert late[-1] <= 500, f"{late[-1]} us late"


@pytest.mark.boards("MPS2_AN385", "RPI_PICO", "ESP32_GENERIC_C3")
def test_a_loop_of_1_khz_leaves_the_rest():
    alone = rate_beside(0)
    beside = rate_beside(1, lambda: time.sleep_us(950))
    assert beside > 0.85 * alone, f"{beside} rounds a second, alone {alone}"
