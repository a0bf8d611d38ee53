"""stack_size([n]) returns the size in force; n is 0 or at least 4096."""

import _thread
import time

import pytest


def stack_of(ident):
    for thread in _thread._threads():
        if thread[0] == ident:
            return thread[2]


def start_sleeper():
    ident = _thread.start_new_thread(time.sleep_ms, (30,))
    size = stack_of(ident)
    time.sleep_ms(60)
    return size


def test_default_is_zero():
    assert _thread.stack_size() == 0
    assert _thread.stack_size(0) == 0
    assert _thread.stack_size() == 0


def test_returns_the_size_in_force():
    assert _thread.stack_size(8192) == 0
    assert _thread.stack_size(16384) == 8192
    assert _thread.stack_size(4096) == 16384
    assert _thread.stack_size(0) == 4096
    assert _thread.stack_size(0) == 0


def test_without_argument_it_resets():
    _thread.stack_size(8192)
    assert _thread.stack_size() == 8192
    assert _thread.stack_size() == 0


@pytest.mark.rows("size", [1, 2048, 4095, -1, -4096, -536870912])
def test_too_small(size):
    _thread.stack_size(8192)
    try:
        _thread.stack_size(size)
    except ValueError as error:
        assert str(error), "the exception says nothing"
    else:
        assert False, f"no ValueError, the size is now {_thread.stack_size()}"
    assert _thread.stack_size() == 8192, "the setting has changed"


@pytest.mark.rows("size", ["'8192'", "None", "8192.0", "[]", "4096, 4096"])
def test_wrong_type(size):
    _thread.stack_size(8192)
    try:
        eval(f"stack_size({size})", {"stack_size": _thread.stack_size})
    except TypeError as error:
        assert str(error), "the exception says nothing"
    else:
        assert False, "no TypeError"
    assert _thread.stack_size() == 8192, "the setting has changed"


@pytest.mark.rows("size", [4096, 4100, 5001, 8192, 20000])
def test_threads_get_what_was_asked_for(size):
    default = start_sleeper()
    assert default >= 4096, f"default stack of {default} bytes"
    _thread.stack_size(size)
    for _ in range(2):
        got = start_sleeper()
        assert size <= got < size + 1024, f"asked for {size}, got {got}"
    _thread.stack_size(0)
    assert start_sleeper() == default


def test_a_size_that_does_not_fit_an_int():
    """Either kept exactly and answered by MemoryError at the start, or refused at once."""
    try:
        _thread.stack_size(1 << 40)
    except (OverflowError, ValueError):
        assert _thread.stack_size() == 0, "the setting has changed"
        return
    try:
        _thread.start_new_thread(print, ("must not run",))
    except MemoryError:
        pass
    else:
        assert False, "a stack of 2**40 bytes was granted"
    _thread.stack_size()
