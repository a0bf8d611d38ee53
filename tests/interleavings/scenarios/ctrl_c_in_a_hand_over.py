# Ctrl-C when a lock is handed over to the main thread: it is passed on, not lost.

import _thread
import time

interrupts = "ctrl_c tick"
L = _thread.allocate_lock()
got = []


def first():
    L.release()


def second():
    with L:
        got.append(2)


def main():
    L.acquire()
    _thread.start_new_thread(first, ())
    _thread.start_new_thread(second, ())
    try:
        L.acquire()
        got.append(0)
        L.release()
    except KeyboardInterrupt:
        pass


def end():
    assert 2 in got
    assert not L.locked()
