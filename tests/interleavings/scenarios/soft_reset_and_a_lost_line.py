# A soft reset deletes a thread that waits for a lock: a hard handler that releases the lock finds nobody in line.

import _thread

reset = True
interrupts = "handler"
L = _thread.allocate_lock()
L.acquire()


def handler():
    if L.locked():
        L.release()


def stays():
    while True:
        try:
            L.acquire()
        except SystemExit:
            pass


def main():
    _thread.start_new_thread(stays, ())
    for _ in range(1):
        pass
