"""Stacks lie above the heap where its end is free, in it where not, and all of their memory comes back."""

import _thread
import gc
import time

import pytest
from prelude import free_memory

SIZE = 8192


class Waiting:
    """A thread that waits until it is told to end, and keeps a list meanwhile."""

    def __init__(self, size=SIZE):
        self.gate = _thread.allocate_lock()
        self.gate.acquire()
        self.kept = None
        threads = len(_thread._threads())
        _thread.stack_size(size)
        _thread.start_new_thread(self.wait, ())
        time.sleep_ms(5)
        assert len(_thread._threads()) == threads + 1

    def wait(self):
        data = [bytes([i]) * 20 for i in range(8)]
        self.gate.acquire()
        self.kept = data

    def end(self):
        threads = len(_thread._threads())
        self.gate.release()
        while len(_thread._threads()) == threads:
            time.sleep_ms(1)
        assert self.kept == [bytes([i]) * 20 for i in range(8)]


@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_all_comes_back_in_whatever_order_threads_end():
    orders = ((0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0))
    free = free_memory()
    for order in orders:
        threads = [Waiting(SIZE), Waiting(4096), Waiting(SIZE)]
        assert free_memory() < free - 2 * SIZE - 4096
        for i in order:
            threads[i].end()
            gc.collect()
        threads = None
        missing = free - free_memory()  # a dead object or two may still be kept, but no stack
        assert abs(missing) < 4096, (order, missing)


@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_gap_is_used_again():
    threads = [Waiting(), Waiting(2 * SIZE), Waiting()]
    free = free_memory()
    threads[1].end()
    gc.collect()
    threads += [Waiting(), Waiting()]
    threads[1] = None
    missing = free - free_memory()
    # Without the gap two stacks would be missing. The data of the thread that ended may be, too: a stale word keeps it.
    assert missing < SIZE // 2, f"the heap shrank by {missing} bytes, though there was a gap"
    for thread in threads:
        if thread:
            thread.end()


def take_end_of_heap():
    """Returns a block that is where the heap ends: all others that were taken are free again."""
    blocks = [None] * (gc.mem_free() // 480)
    n = 0
    try:
        while True:
            blocks[n] = bytearray(512 - 32)
            n += 1
    except MemoryError:
        pass
    last = blocks[0]
    for i in range(n):
        if id(blocks[i]) > id(last):
            last = blocks[i]
        blocks[i] = None
    return last


@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_stacks_are_in_the_heap_where_its_end_is_in_use():
    end = take_end_of_heap()
    free = free_memory()
    assert free > 10 * SIZE
    left = []
    for _ in range(6):
        threads = [Waiting() for _ in range(4)]
        garbage = [bytearray(100) for _ in range(50)]
        garbage = None
        assert free_memory() <= free - 4 * SIZE
        for thread in threads:
            thread.end()
        thread = threads = None
        left.append(free_memory())
    # A word of the main stack that looks like a pointer may keep some of them, for this collector is conservative.
    assert max(left[3:]) > free - 2 * SIZE
    assert len(end) == 480


@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_recursion_on_both_kinds_of_stacks():
    def depth(level=0):
        try:
            return depth(level + 1)
        except RuntimeError:
            return level

    def note():
        depths.append(depth())
        gc.collect()
        depths.append(depth())

    depths = []
    for keep in (None, take_end_of_heap()):
        _thread.stack_size(SIZE)
        _thread.start_new_thread(note, ())
        while len(_thread._threads()) > 1:
            time.sleep_ms(1)
        gc.collect()
    assert len(depths) == 4 and max(depths) == min(depths) > 15, depths
