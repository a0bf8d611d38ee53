# A callback runs while the main thread waits for a lock, whenever it is scheduled.

import _thread

interrupts = "callback tick"
L = _thread.allocate_lock()
ran = []
L.acquire()


def callback():
    ran.append(1)
    L.release()


def main():
    L.acquire()
    assert ran == [1]
