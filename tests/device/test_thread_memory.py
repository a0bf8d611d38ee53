"""What threads take of the heap."""

import _thread
import gc
import time

STACK = 4096


def overhead():
    """Returns how many bytes each of some threads takes beside its stack."""
    gate = _thread.allocate_lock()
    gate.acquire()

    def live():
        with gate:
            pass

    _thread.stack_size(STACK)
    idents = [0] * 8
    gc.collect()
    before = gc.mem_free()
    for i in range(8):
        idents[i] = _thread.start_new_thread(live, ())
    time.sleep_ms(20)
    gc.collect()
    each = (before - gc.mem_free()) // 8 - STACK
    gate.release()
    while len(_thread._threads()) > 1:
        time.sleep_ms(1)
    return each


def test_overhead_of_a_thread():
    each = min(
        [overhead() for _ in range(3)]
    )  # a word that looks like a pointer may keep a dead object
    print(f"{each} bytes a thread beside its stack")
    assert each <= 160, f"{each} bytes"


def test_many_on_a_small_board():
    gate = _thread.allocate_lock()
    gate.acquire()

    def live():
        with gate:
            pass

    _thread.stack_size(STACK)
    for _ in range(24):
        _thread.start_new_thread(live, ())
    time.sleep_ms(50)
    alive = len(_thread._threads()) - 1
    gate.release()
    assert alive == 24, alive
