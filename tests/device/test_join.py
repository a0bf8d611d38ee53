"""Threads that others join, as in CPython 3.13."""

import _thread
import gc
import time

from prelude import wait_until


def refused(error, text, function, *arguments):
    try:
        function(*arguments)
    except error as caught:
        assert str(caught) == text, caught
    else:
        assert False, f"no {error.__name__}"


def test_join_waits_for_the_end():
    ran = []
    handle = _thread.start_joinable_thread(
        lambda: (time.sleep_ms(20), ran.append(_thread.get_ident()))
    )
    assert not handle.is_done()
    assert handle.join() is None
    assert ran == [handle.ident], (ran, handle.ident)
    assert handle.is_done() and _thread._count() == 0
    handle.join()  # again, and at once
    handle.join(0)
    assert repr(handle) == f"<_ThreadHandle object: ident={handle.ident}>"


def test_join_with_a_timeout():
    gate = _thread.allocate_lock()
    gate.acquire()
    handle = _thread.start_joinable_thread(gate.acquire)
    for seconds in (0, 0.03):
        start = time.ticks_us()
        handle.join(seconds)
        assert time.ticks_diff(time.ticks_us(), start) >= seconds * 1000000
        assert not handle.is_done()
    gate.release()
    handle.join(5)
    assert handle.is_done()


def test_many_join_one():
    gate = _thread.allocate_lock()
    gate.acquire()
    one = _thread.start_joinable_thread(gate.acquire)
    through = []

    def join():
        one.join()
        through.append(one.is_done())

    others = [_thread.start_joinable_thread(join) for _ in range(5)]
    time.sleep_ms(10)
    assert through == []
    gate.release()
    for other in others:
        other.join()
    assert through == [True] * 5


def test_however_the_thread_ends():
    for function in (_thread.exit, lambda: None):
        _thread.start_joinable_thread(function).join()
    assert _thread._count() == 0


def test_errors():
    not_started = _thread._ThreadHandle()
    assert not_started.ident == 0 and not not_started.is_done()
    refused(RuntimeError, "thread not started", not_started.join)
    refused(TypeError, "thread function must be callable", _thread.start_joinable_thread, 1)
    refused(TypeError, "'handle' must be a _ThreadHandle", _thread.start_joinable_thread, print, 1)
    own = []
    handle = _thread._ThreadHandle()

    def join_self():
        wait_until(lambda: handle.ident)
        try:
            handle.join()
        except RuntimeError as error:
            own.append(str(error))

    assert _thread.start_joinable_thread(join_self, handle) is handle
    refused(RuntimeError, "thread already started", _thread.start_joinable_thread, print, handle)
    refused(TypeError, "can't convert str to float", handle.join, "1")
    handle.join()
    assert own == ["Cannot join current thread"], own
    refused(RuntimeError, "thread already started", _thread.start_joinable_thread, print, handle)
    handle = _thread._ThreadHandle()
    _thread.stack_size(1 << 28)
    try:
        _thread.start_joinable_thread(print, handle)
    except MemoryError:
        pass
    else:
        assert False, "no MemoryError"
    finally:
        _thread.stack_size(0)
    assert handle.ident == 0 and not handle.is_done()
    _thread.start_joinable_thread(gc.collect, handle).join()


def test_a_handle_outlives_its_thread():
    handles = [_thread.start_joinable_thread(lambda: None) for _ in range(8)]
    for handle in handles:
        handle.join()
    gc.collect()
    for _ in range(8):  # on the stacks of the others
        _thread.start_joinable_thread(lambda: None).join()
    assert all(handle.is_done() for handle in handles)
    assert len({handle.ident for handle in handles}) == 8
