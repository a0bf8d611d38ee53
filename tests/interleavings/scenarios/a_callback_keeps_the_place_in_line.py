# The main thread leaves the line for a callback, and comes back to its old place.

import _thread
import model
import time

interrupts = "callback"
L = _thread.allocate_lock()
ran = []


def callback():
    ran.append(1)


def other():
    with L:
        pass


def holder():
    while len(model.waiting(L)) < 2:
        time.sleep_ms(1)
    before = model.waiting(L)
    time.sleep_ms(1)
    after = model.waiting(L)
    assert len(after) < 2 or after == before
    L.release()


def main():
    L.acquire()
    _thread.start_new_thread(holder, ())
    _thread.start_new_thread(other, ())
    L.acquire()
    L.release()
