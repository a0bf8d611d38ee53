"""acquire(1, timeout) returns False never early and at most two ticks late."""

import _thread
import time

import pytest
from prelude import start_computing

TICK_US = 1000


def lateness(lock, us):
    """Microseconds by which one timeout came too late (negative: too early)."""
    timeout = us / 1000000
    start = time.ticks_us()
    result = lock.acquire(1, timeout)
    took = time.ticks_diff(time.ticks_us(), start)
    assert result is False, f"acquire(1, {timeout}) returned {result}"
    return took - us


def lateness_over(lock, tries):
    """Least and greatest lateness over timeouts of every phase from 0.1 to 20 ms."""
    values = [lateness(lock, 100 + i * 7919 % 19900) for i in range(tries)]
    return min(values), max(values)


def held_lock():
    lock = _thread.allocate_lock()
    lock.acquire()
    return lock


def test_a_thousand_timeouts():
    earliest, latest = lateness_over(held_lock(), 1000)
    print(f"timeouts came {earliest} to {latest} us late")
    assert earliest >= 0, f"{-earliest} us early"
    assert latest <= 2 * TICK_US, f"{latest} us late"


def test_whole_milliseconds():
    lock = held_lock()
    for ms in (1, 2, 3, 7, 10, 50, 200, 1000):
        late = lateness(lock, ms * 1000)
        assert 0 <= late <= 2 * TICK_US, f"a timeout of {ms} ms came {late} us late"


def test_shorter_than_a_tick():
    """It does wait, and does not become "one try" or "for ever"."""
    lock = held_lock()
    for us in (1, 10, 500, 999):
        late = lateness(lock, us)
        assert 0 <= late <= 2 * TICK_US, f"a timeout of {us} us came {late} us late"


def test_in_ten_threads_at_once():
    lock = held_lock()
    results = []

    def wait(number):
        for i in range(20):
            results.append(lateness(lock, 5000 + (number * 20 + i) * 97))

    for number in range(10):
        _thread.start_new_thread(wait, (number,))
    start = time.ticks_ms()
    while len(results) < 200:
        assert time.ticks_diff(time.ticks_ms(), start) < 20000, f"{len(results)} of 200 results"
        time.sleep_ms(20)
    earliest, latest = min(results), max(results)
    print(f"timeouts came {earliest} to {latest} us late")
    assert earliest >= 0, f"{-earliest} us early"
    assert latest <= 10 * TICK_US, f"{latest} us late"


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("busy", [1, 4])
def test_beside_busy_threads(busy):
    """Never early, and late by less than what four slices of 5 ms would be."""
    running = start_computing(busy)
    earliest, latest = lateness_over(held_lock(), 200)
    running.clear()
    print(f"beside {busy} busy threads, timeouts came {earliest} to {latest} us late")
    assert earliest >= 0, f"{-earliest} us early"
    assert latest <= 12 * TICK_US, f"{latest} us late"


@pytest.mark.boards("MPS2_AN385")
def test_on_time_beside_threads_that_compute():
    """A timeout goes first, as a sleep does."""
    running = start_computing(8)
    earliest, latest = lateness_over(held_lock(), 200)
    running.clear()
    print(f"beside 8 busy threads, timeouts came {earliest} to {latest} us late")
    assert earliest >= 0, f"{-earliest} us early"
    assert latest <= 300, f"{latest} us late"


def test_acquired_before_the_timeout():
    for timeout in (0.5, 1, 1000, _thread.TIMEOUT_MAX):
        lock = held_lock()
        _thread.start_new_thread(lambda lock=lock: (time.sleep_ms(10), lock.release()), ())
        start = time.ticks_us()
        assert lock.acquire(1, timeout) is True
        took = time.ticks_diff(time.ticks_us(), start)
        assert 9000 <= took <= 15000, f"a lock released after 10 ms came after {took} us"


def test_release_at_the_moment_of_the_timeout():
    """The release may win or the timeout: the result tells the truth about the lock."""
    outcomes = {True: 0, False: 0}
    for i in range(300):
        lock = held_lock()
        ready = held_lock()

        def release_after(us, lock=lock, ready=ready):
            time.sleep_us(us)
            lock.release()
            ready.release()

        _thread.start_new_thread(release_after, (3000 + i * 31 % 7000,))
        result = lock.acquire(1, 0.005)
        ready.acquire()
        assert lock.locked() is result, f"acquire returned {result}, locked() {lock.locked()}"
        outcomes[result] += 1
    assert min(outcomes.values()) >= 10, f"the race was not met: {outcomes}"
