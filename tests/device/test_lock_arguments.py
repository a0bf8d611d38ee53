"""lock.acquire(waitflag=1, timeout=-1): every way to call it, and what it refuses."""

import _thread
import time

import pytest


@pytest.mark.rows(
    "arguments",
    [
        "",
        "1",
        "True",
        "5",
        "1, -1",
        "1, -1.0",
        "1, -0.5",
        "1, -2",
        "1, -1e30",
        "1, float('-inf')",
        "1, 0",
        "1, 0.0",
        "1, 0.5",
        "1, 2",
        "1, True",
        "1, TIMEOUT_MAX",
        "0",
        "False",
        "0, -1",
        "waitflag=1",
        "waitflag=0",
        "blocking=True",
        "blocking=False",
        "timeout=0.5",
        "timeout=-1",
        "1, timeout=0.5",
        "waitflag=1, timeout=0.5",
        "blocking=True, timeout=0.5",
        "timeout=0.5, blocking=True",
    ],
)
def test_free_lock_is_acquired_at_once(arguments):
    lock = _thread.allocate_lock()
    names = {"lock": lock, "TIMEOUT_MAX": _thread.TIMEOUT_MAX}
    start = time.ticks_us()
    result = eval(f"lock.acquire({arguments})", names)
    took = time.ticks_diff(time.ticks_us(), start)
    assert result is True, result
    assert lock.locked()
    assert took < 20000, f"took {took} us"


@pytest.mark.rows(
    "arguments, milliseconds",
    [
        ("0", 0),
        ("False", 0),
        ("waitflag=0", 0),
        ("blocking=False", 0),
        ("blocking=0", 0),
        ("0, -1", 0),
        ("1, 0", 0),
        ("1, 0.0", 0),
        ("timeout=0", 0),
        ("1, 0.05", 50),
        ("timeout=0.05", 50),
        ("waitflag=1, timeout=0.05", 50),
        ("blocking=True, timeout=0.05", 50),
        ("1, True", 1000),
        ("1, 1", 1000),
    ],
)
def test_held_lock_is_not_acquired(arguments, milliseconds):
    lock = _thread.allocate_lock()
    lock.acquire()
    start = time.ticks_us()
    result = eval(f"lock.acquire({arguments})", {"lock": lock})
    took = time.ticks_diff(time.ticks_us(), start) / 1000
    assert result is False, result
    limit = milliseconds + 20  # eval compiles, too; test_lock_timeout.py is exact
    assert milliseconds <= took < limit, f"took {took} ms instead of {milliseconds} ms"
    assert lock.locked()


@pytest.mark.rows(
    "arguments",
    [
        "",
        "1",
        "-1, -1",
        "1, -1",
        "1, -0.001",
        "1, -1e30",
        "1, float('-inf')",
        "1, TIMEOUT_MAX",
        "timeout=-5",
    ],
)
def test_unbounded_wait(arguments):
    lock = _thread.allocate_lock()
    lock.acquire()
    released = []

    def release():
        time.sleep_ms(60)
        released.append(True)
        lock.release()

    _thread.start_new_thread(release, ())
    names = {"lock": lock, "TIMEOUT_MAX": _thread.TIMEOUT_MAX}
    result = eval(f"lock.acquire({arguments})", names)
    assert released, f"returned {result} too early"
    assert result is True, result


def check_refused(arguments, exception, message=None):
    """On a free lock and on a held one; the lock stays as it was."""
    lock = _thread.allocate_lock()
    names = {"lock": lock, "TIMEOUT_MAX": _thread.TIMEOUT_MAX}
    for held in (False, True):
        try:
            result = eval(f"lock.acquire({arguments})", names)
        except Exception as error:
            assert type(error) is exception, repr(error)
            assert str(error) and message in (None, str(error)), repr(error)
        else:
            assert False, f"no {exception.__name__}, returned {result}"
        assert lock.locked() is held
        lock.acquire(0)


@pytest.mark.rows(
    "arguments",
    [
        "0, 1",
        "0, 0.5",
        "0, 0",
        "False, timeout=1",
        "waitflag=0, timeout=1",
        "blocking=0, timeout=1",
    ],
)
def test_non_blocking_with_a_timeout(arguments):
    check_refused(arguments, ValueError, "can't specify a timeout for a non-blocking call")


@pytest.mark.rows("timeout", ["float('nan')", "-float('nan')"])
def test_nan(timeout):
    check_refused(f"1, {timeout}", ValueError)


@pytest.mark.rows("timeout", ["float('inf')", "TIMEOUT_MAX * 1.001", "1e30", "10**9", "10**40"])
def test_too_long(timeout):
    check_refused(f"1, {timeout}", OverflowError)


@pytest.mark.rows(
    "arguments",
    [
        "1, '1'",
        "1, None",
        "1, []",
        "1, 1j",
        "1, 1, 1",
        "1, waitflag=1",
        "1, blocking=1",
        "waitflag=1, blocking=1",
        "1, 1, timeout=1",
        "wait=1",
    ],
)
def test_wrong_types_and_names(arguments):
    check_refused(arguments, TypeError)


def test_timeout_max():
    assert isinstance(_thread.TIMEOUT_MAX, (int, float)), type(_thread.TIMEOUT_MAX)
    assert _thread.TIMEOUT_MAX >= 3600, f"TIMEOUT_MAX is {_thread.TIMEOUT_MAX} s"
