"""Locks: the type, acquire and release, `with`, locked(), repr."""

import _thread
import gc
import time


def raised_by(function, *args):
    try:
        function(*args)
    except Exception as error:
        return error


def test_lock_type():
    assert _thread.Lock is _thread.LockType
    for lock in (_thread.allocate_lock(), _thread.Lock(), _thread.LockType()):
        assert type(lock) is _thread.LockType
        assert lock.locked() is False, "a new lock is locked"
    assert _thread.allocate_lock() is not _thread.allocate_lock()
    for make in (_thread.allocate_lock, _thread.Lock):
        assert isinstance(raised_by(make, 1), TypeError), f"{make} took an argument"


def test_no_subclass():
    """As CPython has it, and MicroPython for types that cannot be called."""
    for bases in ((_thread.Lock,), (_thread.LockType, object), (object, _thread.Lock)):
        error = raised_by(type, "Mine", bases, {})
        assert type(error) is TypeError, f"{bases}: {error!r}"
        assert str(error) == "type 'lock' isn't an acceptable base type", str(error)
    try:

        class Mine(_thread.Lock):
            pass

    except TypeError:
        pass
    else:
        raise AssertionError("a class statement took it")
    assert isinstance(_thread.Lock(), (int, _thread.Lock))
    assert isinstance(raised_by(type, "Mine", 1, {}), TypeError)
    assert isinstance(raised_by(type, "Mine", ()), TypeError)
    assert type(type("Mine", (list,), {})()).__name__ == "Mine"


def test_error_is_runtime_error():
    assert _thread.error is RuntimeError


def test_acquire_and_release():
    lock = _thread.allocate_lock()
    for _ in range(3):
        assert lock.acquire() is True
        assert lock.locked() is True
        assert lock.acquire(0) is False
        assert lock.locked() is True
        assert lock.release() is None
        assert lock.locked() is False


def test_release_unlocked():
    lock = _thread.allocate_lock()
    for _ in range(2):
        error = raised_by(lock.release)
        assert type(error) is RuntimeError and str(error) == "release unlocked lock", repr(error)
        assert lock.locked() is False
        lock.acquire()
        lock.release()


def test_with():
    lock = _thread.allocate_lock()
    with lock as entered:
        assert entered is True
        assert lock.locked() is True
        assert lock.acquire(0) is False
    assert lock.locked() is False
    try:
        with lock:
            raise ValueError
    except ValueError:
        pass
    assert lock.locked() is False, "an exception has left the lock locked"
    with lock:
        lock.release()
        error = raised_by(lock.__exit__, None, None, None)
        assert type(error) is RuntimeError and str(error) == "release unlocked lock", repr(error)
        lock.acquire()


def test_with_waits():
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(lambda: (time.sleep_ms(20), lock.release()), ())
    start = time.ticks_ms()
    with lock:
        waited = time.ticks_diff(time.ticks_ms(), start)
    assert 20 <= waited < 30, f"waited {waited} ms for 20 ms"


def test_release_by_another_thread():
    lock = _thread.allocate_lock()
    lock.acquire()
    _thread.start_new_thread(lock.release, ())
    assert lock.acquire(1, 1) is True
    _thread.start_new_thread(lock.acquire, ())
    lock.release()
    time.sleep_ms(10)
    assert len(_thread._threads()) == 1, "the thread that acquires has not ended"
    assert lock.locked() is True, "its end has released the lock"
    lock.release()
    assert lock.locked() is False


def test_locked_is_exact():
    """A release with a waiter hands over: the lock is never seen unlocked in between."""
    for _ in range(100):
        lock = _thread.allocate_lock()
        lock.acquire()
        seen = []
        _thread.start_new_thread(lambda lock=lock, seen=seen: seen.append(lock.acquire()), ())
        time.sleep_ms(2)
        assert not seen
        lock.release()
        state = lock.locked(), lock.acquire(0)
        assert state == (True, False), f"locked(), acquire(0) after the hand-over: {state}"
        time.sleep_ms(2)
        assert seen == [True], seen
        lock.release()
        assert lock.locked() is False


def test_mutual_exclusion():
    lock = _thread.allocate_lock()
    count = [0]
    ended = []

    def add():
        for _ in range(2000):
            with lock:
                value = count[0]
                for _ in range(3):
                    pass
                count[0] = value + 1
        ended.append(None)

    for _ in range(5):
        _thread.start_new_thread(add, ())
    start = time.ticks_ms()
    while len(ended) < 5:
        assert time.ticks_diff(time.ticks_ms(), start) < 30000, f"{count[0]} of 10000 so far"
        time.sleep_ms(5)
    assert count[0] == 10000, count


def test_repr():
    lock = _thread.allocate_lock()
    address = hex(id(lock))[2:]
    for state in ("unlocked", "locked"):
        text = repr(lock)
        words = text.strip("<>").split()
        assert words[0] == state, text
        assert _thread.LockType.__name__ in text and address in text.lower(), text
        lock.acquire(0)


def test_a_lock_is_one_block_of_memory():
    locks = [None] * 100
    gc.collect()
    before = gc.mem_alloc()
    for i in range(100):
        locks[i] = _thread.allocate_lock()
    size = (gc.mem_alloc() - before) / 100
    assert size <= 16, f"a lock takes {size} bytes"
