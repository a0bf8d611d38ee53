"""_threads() tells identifier, state and stack of every live thread."""

import _thread
import time


def rows():
    return {row[0]: row for row in _thread._threads()}


def test_main_alone():
    assert len(_thread._threads()) == 1
    ident, state, stack_size, stack_used, function = _thread._threads()[0]
    assert ident == _thread.get_ident()
    assert state == "running", state
    assert function is None, function
    assert 0 < stack_used < stack_size, f"{stack_used} of {stack_size} bytes used"


def test_states():
    lock = _thread.allocate_lock()
    lock.acquire()
    running = [True]

    def compute():
        while running:
            pass

    expected = {
        _thread.get_ident(): "running",
        _thread.start_new_thread(lock.acquire, ()): "waiting",
        _thread.start_new_thread(time.sleep_ms, (100,)): "waiting",
        _thread.start_new_thread(compute, ()): "ready",
    }
    time.sleep_ms(20)
    states = {ident: row[1] for ident, row in rows().items()}
    assert states == expected, f"{states}, expected {expected}"
    running.clear()
    lock.release()
    time.sleep_ms(150)
    assert list(rows()) == [_thread.get_ident()], rows()


def test_stack_used():
    depth_reached = []

    def dive(depth):
        if depth:
            dive(depth - 1)
        else:
            depth_reached.append(True)
            time.sleep_ms(50)

    _thread.stack_size(16384)
    used = []
    for depth in (1, 30):
        ident = _thread.start_new_thread(dive, (depth,))
        time.sleep_ms(20)
        used.append(rows()[ident][3])
        assert 0 < used[-1] < rows()[ident][2], rows()[ident]
        time.sleep_ms(80)
    assert len(depth_reached) == 2
    assert used[1] > used[0] + 29 * 30, f"used at depth 1 and 30: {used}"


def test_version():
    assert isinstance(_thread.__version__, str) and _thread.__version__[0].isdigit()
    assert _thread._kernel.startswith("FreeRTOS"), _thread._kernel
