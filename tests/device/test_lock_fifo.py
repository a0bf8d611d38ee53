"""Waiters are served in the order in which they came."""

import _thread
import time

import pytest
from prelude import wait_until


def start_waiting(function, *args):
    """Starts a thread and lets it come as far as its blocking call."""
    _thread.start_new_thread(function, args)
    time.sleep_ms(3)


@pytest.mark.parametrize("count", [2, 3, 10, 20])
def test_order_of_arrival(count):
    for _ in range(5):
        lock = _thread.allocate_lock()
        lock.acquire()
        served = []

        def wait(number, lock=lock, served=served):
            with lock:
                served.append(number)

        for number in range(count):
            start_waiting(wait, number)
        assert not served, f"{served} came past a held lock"
        lock.release()
        wait_until(lambda served=served: len(served) == count)
        assert served == list(range(count)), served


def test_one_release_serves_one_waiter():
    lock = _thread.allocate_lock()
    lock.acquire()
    served = []
    for number in range(8):
        start_waiting(lambda number: (lock.acquire(), served.append(number)), number)
    for number in range(8):
        time.sleep_ms(3)
        assert served == list(range(number)), served
        lock.release()
    wait_until(lambda: len(served) == 8)
    assert served == list(range(8)), served
    assert lock.locked()


def test_the_holder_cannot_overtake():
    """Release and acquire at once: the releaser goes to the end of the queue."""
    lock = _thread.allocate_lock()
    lock.acquire()
    served = []

    def take_turns(number):
        for _ in range(50):
            lock.acquire()
            served.append(number)
            lock.release()

    for number in range(3):
        start_waiting(take_turns, number)
    lock.release()
    wait_until(lambda: len(served) == 150)
    assert served == [0, 1, 2] * 50, served


def test_a_timed_out_waiter_leaves_the_queue():
    """From the front, the middle and the back of it."""
    lock = _thread.allocate_lock()
    lock.acquire()
    served = []
    given_up = []

    def wait(number, timeout):
        if lock.acquire(1, timeout):
            served.append(number)
            lock.release()
        else:
            given_up.append(number)

    for number, timeout in enumerate((0.1, -1, 0.1, 10, 0.1, 0.1, -1, 0.1)):
        start_waiting(wait, number, timeout)
    wait_until(lambda: len(given_up) == 5)
    assert given_up == [0, 2, 4, 5, 7], given_up
    assert not served, served
    start_waiting(wait, 8, -1)
    lock.release()
    wait_until(lambda: len(served) == 4)
    assert served == [1, 3, 6, 8], served
    assert lock.locked() is False


def test_a_ring_of_threads():
    """Each wakes the next by a lock of its own, and none is lost."""
    count, rounds = 6, 200
    locks = [_thread.allocate_lock() for _ in range(count)]
    passed = []
    for lock in locks:
        lock.acquire()

    def pass_on(number):
        for _ in range(rounds):
            locks[number].acquire()
            passed.append(number)
            locks[(number + 1) % count].release()

    for number in range(count):
        start_waiting(pass_on, number)
    locks[0].release()
    wait_until(lambda: len(passed) == count * rounds)
    assert passed == list(range(count)) * rounds
