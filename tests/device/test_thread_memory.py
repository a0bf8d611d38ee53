"""What threads take of the heap."""

import _thread
import time

from prelude import free_memory

STACK = 4096


def overheads(count):
    """Returns how many bytes each of some threads takes beside its stack."""
    gate = _thread.allocate_lock()
    gate.acquire()

    def live():
        with gate:
            pass

    _thread.stack_size(STACK)
    each = [0] * count
    for i in range(count):
        before = free_memory()
        _thread.start_new_thread(live, ())
        time.sleep_ms(2)
        each[i] = before - free_memory() - STACK
    gate.release()
    while len(_thread._threads()) > 1:
        time.sleep_ms(1)
    return each


def test_overhead_of_a_thread():
    each = sorted(overheads(9))
    print(f"{each} bytes a thread beside its stack")
    median = each[len(each) // 2]  # a word that looks like a pointer may keep a dead object
    assert 0 < median <= 160, each


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
