"""A blocked acquire costs no processor time."""

import _thread
import time

import pytest


def count_during(wait):
    """How often a busy thread counts in a millisecond while wait() lasts."""
    running = [True]
    count = [0]

    def beat():
        while running:
            count[0] += 1

    _thread.start_new_thread(beat, ())
    time.sleep_ms(10)
    before, start = count[0], time.ticks_us()
    wait()
    rate = (count[0] - before) * 1000 / time.ticks_diff(time.ticks_us(), start)
    running.clear()
    time.sleep_ms(20)
    return rate


def sleep():
    time.sleep_ms(1500)


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("timeout", [-1, 1000])
def test_a_busy_thread_keeps_its_rate_while_ten_are_blocked(timeout):
    lock = _thread.allocate_lock()
    lock.acquire()
    alone = count_during(sleep)
    for _ in range(10):
        _thread.start_new_thread(lock.acquire, (1, timeout))
    time.sleep_ms(20)
    assert len(_thread._threads()) == 11
    beside = count_during(sleep)
    print(f"beside ten blocked threads: {beside / alone:.2%} of the rate alone")
    assert beside >= 0.98 * alone, f"{beside / alone:.2%} of the rate alone"
    for _ in range(10):
        lock.release()
        time.sleep_ms(2)
    assert len(_thread._threads()) == 1


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("timeout", [-1, 1.5])
def test_main_blocked_leaves_everything_to_the_threads(timeout):
    lock = _thread.allocate_lock()
    lock.acquire()
    alone = count_during(sleep)
    if timeout < 0:
        _thread.start_new_thread(lambda: (sleep(), lock.release()), ())
    beside = count_during(lambda: lock.acquire(1, timeout))
    print(f"while main was blocked: {beside / alone:.2%} of the rate while it slept")
    assert beside >= 0.98 * alone, f"{beside / alone:.2%} of the rate while main slept"
