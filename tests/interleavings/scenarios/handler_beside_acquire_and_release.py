# A hard handler calls release() and acquire(0) while the main thread is in either.

import _thread
import model

interrupts = "handler handler"
L = _thread.allocate_lock()
count = [0, 0]


def handler():
    if L.acquire(0):
        count[0] += 1
        L.release()
    else:
        count[1] += 1


def main():
    L.acquire()
    for _ in range(1):
        pass
    L.release()
    with L:
        assert L.locked()


def end():
    assert count[0] + count[1] == model.taken(model.HANDLER)
    assert not L.locked()
