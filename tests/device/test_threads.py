"""_threads() tells identifier, state and stack of every live thread."""

import _thread
import time

import micropython


def rows():
    return {row[0]: row for row in _thread._threads()}


def test_main_alone():
    assert len(_thread._threads()) == 1
    ident, state, stack_size, stack_used, function, *waits = _thread._threads()[0]
    assert ident == _thread.get_ident()
    assert state == "running", state
    assert function is None and waits == [None, None], (function, waits)
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
    main = _thread.get_ident()
    waits = {ident: row[5:] for ident, row in rows().items()}
    assert list(waits.values()).count((None, None)) == 3, waits
    assert (lock, main) in waits.values(), waits
    running.clear()
    lock.release()
    time.sleep_ms(150)
    assert list(rows()) == [_thread.get_ident()], rows()


# While the main thread waits for `outer`, another one looks; a callback waits for `inner` meanwhile.
def test_main_waits():
    main = _thread.get_ident()
    outer, inner = _thread.allocate_lock(), _thread.allocate_lock()
    outer.acquire()
    inner.acquire()
    seen = []

    def look():
        seen.append(rows()[main][5:])

    def callback(_):
        assert not inner.acquire(1, 0.01)

    def work():
        time.sleep_ms(5)
        look()
        micropython.schedule(callback, None)
        time.sleep_ms(5)
        look()
        time.sleep_ms(20)
        look()

    _thread.start_new_thread(work, ())
    assert not outer.acquire(1, 0.05)
    assert rows()[main][5:] == (None, None)
    assert seen == [(outer, main), (inner, main), (outer, main)], seen


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
