"""_Condition: who waits, in which order it is notified, and what ends a wait."""

import _thread
import time

import pytest


def raised_by(function, *args):
    try:
        function(*args)
    except Exception as error:
        return type(error), str(error)


def wait_until(predicate):
    start = time.ticks_ms()
    while not predicate():
        assert time.ticks_diff(time.ticks_ms(), start) < 5000, "it has not come"
        time.sleep_ms(1)


def conditions():
    return (
        _thread._Condition(),
        _thread._Condition(_thread.Lock()),
        _thread._Condition(lock=_thread.RLock()),
    )


def test_without_the_lock():
    for condition in conditions():
        no_wait = (RuntimeError, "cannot wait on un-acquired lock")
        no_notify = (RuntimeError, "cannot notify on un-acquired lock")
        assert raised_by(condition.wait) == raised_by(condition.wait, 0) == no_wait
        assert raised_by(condition.wait_for, lambda: False) == no_wait
        assert raised_by(condition.notify) == raised_by(condition.notify_all) == no_notify
        with condition as entered:
            assert entered is True and condition._is_owned()
            condition.notify()
            condition.notify_all()
            assert condition.wait_for(lambda: 7) == 7
            assert raised_by(condition.wait, "1")[0] is TypeError
            assert raised_by(condition.wait, float("nan"))[0] is ValueError
            assert raised_by(condition.wait, 1e30)[0] is OverflowError
            assert condition._is_owned(), "an error has lost the lock"
        assert not condition._is_owned()
    assert raised_by(_thread._Condition, 1) == (TypeError, "lock must be a Lock or an RLock")


def test_timeout():
    for condition in conditions():
        with condition:
            for seconds, least in ((-1, 0), (0, 0), (0.02, 20), (0.05, 50)):
                for wait in (condition.wait, lambda s: condition.wait_for(lambda: False, s)):
                    start = time.ticks_us()
                    assert wait(seconds) is False
                    took = time.ticks_diff(time.ticks_us(), start) / 1000
                    assert least <= took < least + 10, f"took {took} ms for {seconds} s"
                    assert condition._is_owned() and repr(condition).endswith(", 0)>")


def test_order():
    for condition in conditions():
        order = []

        def wait(name, timeout):
            with condition:
                if condition.wait(timeout):
                    order.append(name)

        for name in range(5):
            _thread.start_new_thread(wait, (name, 0.02 if name == 1 else None))
            time.sleep_ms(2)
        time.sleep_ms(30)
        with condition:
            assert repr(condition).endswith(", 4)>"), repr(condition)
            condition.notify()
            time.sleep_ms(5)
            assert order == [], "it has not waited for the lock"
        wait_until(lambda: order == [0])
        with condition:
            condition.notify(2)
        wait_until(lambda: order == [0, 2, 3])
        with condition:
            condition.notify_all()
        wait_until(lambda: order == [0, 2, 3, 4])
        wait_until(lambda: _thread._count() == 0)


def test_reentrant_lock_is_released_as_a_whole():
    condition = _thread._Condition()
    seen = []

    def other():
        with condition:
            seen.append(condition._is_owned())
            condition.notify()

    with condition:
        with condition:
            _thread.start_new_thread(other, ())
            assert condition.wait(5) is True
            assert seen == [True]
        assert condition._is_owned()
    assert not condition._is_owned()


@pytest.mark.parametrize("held", [False, True])
def test_an_interrupt_of_the_wait(held):
    """The exception comes when the lock is back, so that `with` can release it."""
    for condition in conditions():

        def interrupt():
            with condition:
                _thread.interrupt_main()
                time.sleep_ms(20 if held else 0)

        start = time.ticks_ms()
        try:
            with condition:
                _thread.start_new_thread(interrupt, ())
                condition.wait(5)
        except KeyboardInterrupt:
            assert not held or time.ticks_diff(time.ticks_ms(), start) >= 20
        else:
            raise AssertionError("no KeyboardInterrupt")
        assert not condition._is_owned() and repr(condition).endswith(", 0)>")
        with condition:
            assert condition.wait(0.001) is False
        wait_until(lambda: _thread._count() == 0)


def test_a_second_interrupt_gives_the_lock_up():
    condition = _thread._Condition()
    end = _thread.allocate_lock()
    end.acquire()

    def keep():
        with condition:
            for _ in range(2):
                _thread.interrupt_main()
                time.sleep_ms(10)
            end.acquire()

    condition.acquire()
    _thread.start_new_thread(keep, ())
    try:
        condition.wait()
    except KeyboardInterrupt:
        pass
    assert not condition._is_owned(), "it waits for the lock, or has it"
    end.release()
    with condition:
        pass


def test_two_threads_in_turns():
    condition = _thread._Condition(_thread.Lock())
    turn = [0]
    rounds = 200

    def play(mine):
        for _ in range(rounds):
            with condition:
                assert condition.wait_for(lambda: turn[0] % 2 == mine, 5)
                turn[0] += 1
                condition.notify()

    _thread.start_new_thread(play, (1,))
    play(0)
    wait_until(lambda: turn[0] == 2 * rounds)


def test_memory():
    import gc

    lock = _thread.Lock()
    kept = [None] * 50
    best = 1000
    for _ in range(5):
        gc.collect()
        before = gc.mem_alloc()
        for i in range(50):
            kept[i] = _thread._Condition(lock)
        best = min(best, (gc.mem_alloc() - before) / 50)
        kept[:] = [None] * 50
    assert best <= 16, best
