# A hard handler releases the lock that the main thread waits for.

import _thread

interrupts = "handler tick"
L = _thread.allocate_lock()
L.acquire()


def handler():
    L.release()


def main():
    L.acquire()


def end():
    assert L.locked()
