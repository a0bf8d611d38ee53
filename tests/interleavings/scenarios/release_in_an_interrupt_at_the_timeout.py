# A hard handler releases a lock when a wait for it ends: the answer says who has it.

import _thread
import model

interrupts = "handler tick tick"
L = _thread.allocate_lock()
L.acquire()


def handler():
    L.release()


def main():
    global got
    got = L.acquire(True, 0.001)


def end():
    released = model.taken(model.HANDLER) == 1
    assert L.locked() == (got or not released)
    assert released or not got
