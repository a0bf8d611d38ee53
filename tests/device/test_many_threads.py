"""64 threads alive at once, or as many as the memory of a small board holds."""

import _thread
import gc
import time

import pytest
from prelude import wait_until

COUNT = min(64, gc.mem_free() // 6500)


def test_alive_at_once():
    _thread.stack_size(4096)
    gate = _thread.allocate_lock()
    gate.acquire()
    idents = []

    def live():
        with gate:
            idents.append(_thread.get_ident())

    assert COUNT >= 20, f"memory for {COUNT} threads only"
    started = [_thread.start_new_thread(live, ()) for _ in range(COUNT)]
    time.sleep_ms(100)
    alive = {thread[0] for thread in _thread._threads()}
    print(f"{len(alive)} threads alive")
    assert len(alive) == COUNT + 1, f"{len(alive)} of {COUNT + 1} alive"
    assert set(started) | {_thread.get_ident()} == alive
    gc.collect()
    gate.release()
    wait_until(lambda: len(idents) == COUNT, 20000)
    assert idents == started, f"order of service {idents}, of start {started}"
    wait_until(lambda: len(_thread._threads()) == 1, 20000)


@pytest.mark.parametrize("kind", ["compute", "sleep", "lock", "allocate"])
def test_all_at_work(kind):
    _thread.stack_size(4096)
    lock = _thread.allocate_lock()
    turns = [0] * COUNT

    def work(slot):
        for i in range(10):
            if kind == "compute":
                for _ in range(200):
                    pass
            elif kind == "sleep":
                time.sleep_ms(slot % 7)
            elif kind == "lock":
                with lock:
                    time.sleep_us(100)
            else:
                assert bytearray(100 + slot)[i] == 0
            turns[slot] += 1

    for slot in range(COUNT):
        _thread.start_new_thread(work, (slot,))
    wait_until(lambda: len(_thread._threads()) == 1, 20000)
    assert turns == [10] * COUNT, turns
