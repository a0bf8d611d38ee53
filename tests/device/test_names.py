"""What the module has because CPython's has it."""

import _thread
import time

from prelude import wait_until


def test_other_names():
    assert _thread.start_new is _thread.start_new_thread
    assert _thread.allocate is _thread.allocate_lock
    assert _thread.exit_thread is _thread.exit


def test_count():
    counts = [_thread._count()]
    for _ in range(3):
        _thread.start_new_thread(time.sleep_ms, (50,))
        counts.append(_thread._count())
    assert counts == [0, 1, 2, 3], counts
    wait_until(lambda: _thread._count() == 0)


def test_native_id():
    ids = [_thread.get_native_id()]
    for _ in range(2):
        _thread.start_new_thread(
            lambda: (ids.append(_thread.get_native_id()), time.sleep_ms(20)), ()
        )
    wait_until(lambda: len(ids) == 3)
    assert len(set(ids)) == 3 and min(ids) > 0, ids
    assert ids[0] == _thread.get_native_id()


def test_interrupt_main():
    _thread.start_new_thread(_thread.interrupt_main, ())
    try:
        time.sleep(10)
    except KeyboardInterrupt:
        pass
    else:
        assert False, "the main thread was not interrupted"
    lock = _thread.allocate_lock()
    lock.acquire()
    try:
        _thread.interrupt_main(2)
        lock.acquire()
    except KeyboardInterrupt:
        pass
    _thread.interrupt_main(15)  # no handler
    for number in (0, -1, 65):
        try:
            _thread.interrupt_main(number)
        except ValueError as error:
            assert str(error) == "signal number out of range", error
        else:
            assert False, f"{number} was taken for a signal"
    try:
        _thread.interrupt_main("2")
    except TypeError:
        pass
    else:
        assert False, "no TypeError"
    time.sleep_ms(5)


def test_interrupt_main_in_the_main_thread_raises_at_once():
    after = []
    try:
        _thread.interrupt_main()
        after.append(1)
    except KeyboardInterrupt:
        pass
    assert not after


def test_interrupt_main_is_no_key():
    """Two hundred in a row are two hundred exceptions, and end no other thread."""
    ended = []
    stop = _thread.allocate_lock()
    stop.acquire()
    for _ in range(2):
        _thread.start_new_thread(lambda: (stop.acquire(), stop.release(), ended.append(1)), ())
    came = 0
    for _ in range(200):
        try:
            _thread.interrupt_main()
            time.sleep_ms(1)
        except KeyboardInterrupt:
            came += 1
    time.sleep_ms(5)
    stop.release()
    wait_until(lambda: _thread._count() == 0)
    assert (came, len(ended)) == (200, 2), (came, ended)
