# Who waits for a condition is notified, whenever that comes, and has the lock then; a timeout may come first.

import _thread

interrupts = "tick"
L = _thread.allocate_lock()
C = _thread._Condition(L)
inside = []
told = []


def give():
    with C:
        inside.append(1)
        told.append(1)
        C.notify()
        assert inside == [1]
        inside.pop()


def main():
    _thread.start_new_thread(give, ())
    with C:
        if C.wait(0.001):
            assert told
        C.wait_for(lambda: told)
        assert inside == [] and L.locked()


def end():
    assert told == [1]
    assert not L.locked()
