# Threads get the lock in the order in which they wait for it.

import _thread
import model
import time

L = _thread.allocate_lock()
order = []


def wait():
    with L:
        order.append(_thread.get_ident())


def main():
    global line
    L.acquire()
    for _ in range(2):
        _thread.start_new_thread(wait, ())
    while len(model.waiting(L)) < 2:
        time.sleep_ms(1)
    line = model.waiting(L)
    L.release()


def end():
    assert order == line
