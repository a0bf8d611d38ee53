"""A start that fails leaves nothing behind, and the next one can succeed."""

import _thread
import gc
import time

import pytest
from prelude import free_memory, wait_until


def start_one():
    ran = []
    threads = len(_thread._threads())
    _thread.start_new_thread(ran.append, (1,))
    wait_until(lambda: ran and len(_thread._threads()) == threads)


def hoard_memory():
    """Takes the whole heap, down to blocks of 32 bytes."""
    hoard = None
    size = 16384
    while size >= 32:
        try:
            hoard = [hoard, bytearray(size)]
        except MemoryError:
            size //= 2
    return hoard


def let_go(hoard):
    """Unlinks it, for the collector takes any word on a stack for a pointer: one keeps one block alive, not all."""
    while hoard:
        hoard[1] = None
        hoard[0], hoard = None, hoard[0]


def test_impossible_stack_is_memory_error():
    start_one()
    threads = len(_thread._threads())
    free = free_memory()
    for _ in range(100):
        _thread.stack_size(1 << 28)
        try:
            _thread.start_new_thread(print, ("must not run",))
        except MemoryError:
            pass
        else:
            assert False, "no MemoryError"
    _thread.stack_size(0)
    assert len(_thread._threads()) == threads, _thread._threads()
    lost = free - free_memory()
    assert lost < 1024, f"100 failures lost {lost} bytes"  # a block of 16 bytes for each would show
    start_one()


@pytest.mark.lane("long", "RPI_PICO")
def test_no_memory_is_memory_error_and_the_next_start_succeeds():
    threads = len(_thread._threads())
    for _ in range(5):
        _thread.stack_size(32768)  # so that no stack kept for reuse fits
        hoard = hoard_memory()
        try:
            _thread.start_new_thread(print, ("must not run",))
            failed = False
        except MemoryError:
            failed = True
        let_go(hoard)
        hoard = None
        _thread.stack_size(0)
        assert failed, "no MemoryError on a full heap"
        assert len(_thread._threads()) == threads, _thread._threads()
        start_one()


def start_until_it_fails():
    """Returns how many threads could be alive at once; all have ended on return."""
    gate = _thread.allocate_lock()
    gate.acquire()
    ended = [0]

    def wait():
        with gate:
            ended[0] += 1

    def all_have_ended():  # made here: there may be no memory left for it later
        return ended[0] == count

    count = 0
    try:
        while count < 5000:
            _thread.start_new_thread(wait, ())
            count += 1
    except MemoryError:
        pass
    except RuntimeError as error:
        assert str(error) == "can't start new thread", error
    gate.release()
    wait_until(all_have_ended, 20000)
    wait_until(lambda: len(_thread._threads()) == 1, 20000)
    assert ended[0] == count, f"{count} threads started, {ended[0]} ended"
    return count


def test_start_until_it_fails_then_again():
    counts = [start_until_it_fails()]
    free = free_memory()
    lost = []
    for _ in range(3):
        counts.append(start_until_it_fails())
        start_one()
        lost.append(free - free_memory())
    assert 10 <= min(counts) <= max(counts) < 5000, f"threads that could be alive: {counts}"
    assert min(counts) > 0.9 * max(counts), f"threads that could be alive: {counts}"
    # A word left on a stack may keep a whole stack alive for a while; what is really lost is lost each time.
    assert min(lost) < 1024, f"{lost} bytes lost after starting {counts} threads"


@pytest.mark.lane("long", "RPI_PICO")
def test_memory_exhausted_in_threads_and_recovered():
    """Two threads run out of memory again and again; they and a third one go on."""
    rounds = [0, 0]
    beats = [0]
    running = [True]

    def beat():
        while running:
            beats[0] += 1

    def exhaust(slot):
        while rounds[slot] < 3:
            let_go(hoard_memory())
            gc.collect()
            rounds[slot] += 1

    _thread.start_new_thread(beat, ())
    for slot in range(2):
        _thread.start_new_thread(exhaust, (slot,))
    wait_until(lambda: rounds[0] + rounds[1] == 6, 60000)
    before = beats[0]
    time.sleep_ms(50)
    assert beats[0] > before, "the thread beside them has stopped"
    running.clear()
    wait_until(lambda: len(_thread._threads()) == 1)
    start_one()


def test_ended_threads_without_collections():
    """With gc.disable() the stacks of ended threads are there for others, of another size, too."""
    gc.collect()
    share = gc.mem_free() // 12
    gc.disable()
    try:
        for turn in range(4):
            _thread.stack_size(share + 1024 * turn)
            for _ in range(8):
                _thread.start_new_thread(time.sleep_ms, (2,))
            while len(_thread._threads()) > 1:
                time.sleep_ms(1)
    finally:
        gc.enable()
        _thread.stack_size(0)
