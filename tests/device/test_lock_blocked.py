"""A blocked acquire costs no processor time."""

import _thread
import time

import pytest


def count_for(ms):
    """How often a busy thread counts while main sleeps."""
    running = [True]
    count = [0]

    def beat():
        while running:
            count[0] += 1

    _thread.start_new_thread(beat, ())
    time.sleep_ms(10)
    before = count[0]
    time.sleep_ms(ms)
    rate = count[0] - before
    running.clear()
    time.sleep_ms(20)
    return rate


@pytest.mark.parametrize("timeout", [-1, 1000])
def test_a_busy_thread_keeps_its_rate_while_ten_are_blocked(timeout):
    lock = _thread.allocate_lock()
    lock.acquire()
    alone = count_for(1500)
    for _ in range(10):
        _thread.start_new_thread(lock.acquire, (1, timeout))
    time.sleep_ms(20)
    assert len(_thread._threads()) == 11
    beside = count_for(1500)
    print(f"beside ten blocked threads: {beside / alone:.2%} of the rate alone")
    assert beside >= 0.98 * alone, f"{beside / alone:.2%} of the rate alone"
    for _ in range(10):
        lock.release()
        time.sleep_ms(2)
    assert len(_thread._threads()) == 1


def test_main_blocked_leaves_everything_to_the_threads():
    alone = count_for(1000)
    lock = _thread.allocate_lock()
    lock.acquire()
    count = [0]
    rates = []

    def beat():
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < 20:
            pass
        before, start = count[0], time.ticks_ms()
        while count[0] - before < alone:
            count[0] += 1
        rates.append(time.ticks_diff(time.ticks_ms(), start))
        lock.release()

    _thread.start_new_thread(beat, ())
    assert lock.acquire(1, 10)
    print(f"what took 1000 ms while main slept took {rates[0]} ms while main was blocked")
    assert rates[0] < 1500, rates
