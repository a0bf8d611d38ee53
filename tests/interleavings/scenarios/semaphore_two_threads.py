# A semaphore lets one in, even if another one is faster than the thread that a release wakes.

import _thread

interrupts = ""
S = _thread._Semaphore(1)
inside = []


def work(n):
    S.acquire()
    inside.append(n)
    for _ in range(1):
        assert inside == [n]
    inside.remove(n)
    S.release()
    S.acquire()
    inside.append(n)
    for _ in range(1):
        assert inside == [n]
    inside.remove(n)
    S.release()


def main():
    _thread.start_new_thread(work, (1,))
    work(0)


def end():
    assert inside == [] and S._value == 1
