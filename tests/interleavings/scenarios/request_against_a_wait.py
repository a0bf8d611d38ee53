# The request to switch comes when the owner waits, or ends.

import _thread

interrupts = "tick tick"
_thread.setswitchinterval(0.001)
L = _thread.allocate_lock()
ran = []


def compute(name):
    for _ in range(2):
        pass
    ran.append(name)
    L.release()


def main():
    L.acquire()
    _thread.start_new_thread(compute, (1,))
    for _ in range(2):
        pass
    L.acquire()
    assert ran == [1]
