"""The lock that its owner may take again."""

import _thread
import gc

from prelude import wait_until


def in_a_thread(function):
    """Returns what the function returns in a thread of its own."""
    results = []

    def run():
        try:
            results.append(function())
        except Exception as error:
            results.append(error)

    _thread.start_new_thread(run, ())
    wait_until(lambda: results)
    return results[0]


def test_owner_takes_it_again():
    lock = _thread.RLock()
    assert not lock.locked() and not lock._is_owned() and lock._recursion_count() == 0
    assert lock.acquire() is True
    assert lock.acquire(0) is True
    assert lock.acquire(True, 5) is True
    with lock as entered:
        assert entered is True
        assert lock._recursion_count() == 4
    assert repr(lock).startswith("<locked _thread.RLock object owner=1 count=3 at 0x"), lock
    for _ in range(3):
        assert lock._is_owned()
        assert in_a_thread(lambda: lock.acquire(0)) is False
        assert in_a_thread(lambda: lock.acquire(timeout=0.01)) is False
        lock.release()
    assert repr(lock).startswith("<unlocked _thread.RLock object owner=0 count=0 at 0x"), lock
    assert not lock._is_owned()
    assert in_a_thread(lambda: lock.acquire(0)) is True  # and that thread ends with it
    assert lock.acquire(0) is False


def test_release_is_the_owners():
    lock = _thread.RLock()

    def refused(function):
        error = in_a_thread(function)
        assert type(error) is RuntimeError, error
        assert str(error) == "cannot release un-acquired lock", error

    refused(lock.release)
    refused(lock._release_save)
    with lock:
        refused(lock.release)
        refused(lock._release_save)
        assert lock._recursion_count() == 1


def test_arguments_are_those_of_a_lock():
    lock = _thread.RLock()
    for arguments, keywords, error in (
        ((0, 1), {}, ValueError),
        ((1, float("nan")), {}, ValueError),
        ((1, _thread.TIMEOUT_MAX + 1000), {}, OverflowError),
        (("1",), {}, TypeError),
        ((1,), {"blocking": 1}, TypeError),
        ((1, 2, 3), {}, TypeError),
        ((), {"other": 1}, TypeError),
    ):
        try:
            lock.acquire(*arguments, **keywords)
        except error:
            pass
        else:
            assert False, f"acquire(*{arguments}, **{keywords}) raised no {error.__name__}"
        assert not lock.locked()
    try:
        _thread.RLock(1)
    except TypeError:
        pass
    else:
        assert False, "RLock(1) raised no TypeError"


def test_waiters_get_it_in_their_order():
    lock = _thread.RLock()
    order = []
    waiting = []

    def work(number):
        waiting.append(number)
        with lock:
            with lock:
                order.append(number)

    with lock:
        for number in range(6):
            _thread.start_new_thread(work, (number,))
            wait_until(lambda: len(waiting) == number + 1)
    wait_until(lambda: len(order) == 6)
    assert order == waiting, order


def test_save_and_restore():
    lock = _thread.RLock()
    for _ in range(3):
        lock.acquire()
    count = lock._release_save()
    assert not lock.locked()
    assert in_a_thread(lambda: lock.acquire() and lock.release()) is None
    lock._acquire_restore(count)
    assert lock._recursion_count() == 3


def test_sections_exclude_each_other():
    lock = _thread.RLock()
    total = [0]
    ended = []

    def add():
        for _ in range(200):
            with lock:
                before = total[0]
                with lock:
                    total[0] = before + 1
        ended.append(1)

    for _ in range(3):
        _thread.start_new_thread(add, ())
    wait_until(lambda: len(ended) == 3, 20000)
    assert total[0] == 600, total


def test_it_may_be_a_base():
    class Named(_thread.RLock):
        def __init__(self, name):
            super().__init__()
            self.name = name

    lock = Named("n")
    with lock:
        assert lock.acquire(0) and lock.name == "n"
        lock.release()
        assert in_a_thread(lambda: lock.acquire(0)) is False
    assert not lock.locked()


def test_it_takes_two_blocks():
    gc.collect()
    locks = [None] * 20
    before = gc.mem_alloc()
    for i in range(20):
        locks[i] = _thread.RLock()
    assert gc.mem_alloc() - before == 20 * 32, gc.mem_alloc() - before
