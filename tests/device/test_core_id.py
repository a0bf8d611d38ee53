"""start_new_thread(..., core_id=): which core a thread runs on."""

import _thread
import time

import pytest


def started(**keywords):
    ran = []
    ident = _thread.start_new_thread(lambda: ran.append(_thread.get_ident()), (), **keywords)
    start = time.ticks_ms()
    while not ran:
        assert time.ticks_diff(time.ticks_ms(), start) < 5000
        time.sleep_ms(1)
    return ran == [ident]


@pytest.mark.rows("core_id", [None, 0, -1])
def test_a_thread_with_it_runs(core_id):
    assert started(core_id=core_id)


def test_threads_of_all_kinds_take_turns():
    """A finished thread's task is used again for a thread of the same core only."""
    for _ in range(50):
        for core_id in (0, -1, None, 0):
            assert started(core_id=core_id)


def test_keywords_of_the_function_are_apart():
    got = []
    _thread.start_new_thread(lambda **keywords: got.append(keywords), (), {"core_id": 7}, core_id=0)
    start = time.ticks_ms()
    while not got:
        assert time.ticks_diff(time.ticks_ms(), start) < 5000
        time.sleep_ms(1)
    assert got == [{"core_id": 7}]


@pytest.mark.rows("core_id", [2, 7, -2, 1 << 29, "0", 0.5])
def test_wrong(core_id):
    try:
        _thread.start_new_thread(print, ("never",), core_id=core_id)
    except ValueError:
        assert isinstance(core_id, int)
    except TypeError:
        assert not isinstance(core_id, int)
    else:
        raise AssertionError("started")
    assert len(_thread._threads()) == 1


def test_no_other_keyword():
    try:
        _thread.start_new_thread(print, ("never",), core=0)
    except TypeError:
        return
    raise AssertionError("started")
