# A semaphore lets one in, even if another one is faster than the thread that a release wakes.

import _thread

interrupts = ""
S = _thread._Semaphore(1)
inside = []


def go_in(n):
    S.acquire()
    inside.append(n)
    for _ in range(1):
        assert inside == [n]
    inside.remove(n)
    S.release()


# No branch comes between, where the thread that was woken would go on.
def work(n):
    go_in(n)
    go_in(n)


def main():
    _thread.start_new_thread(work, (1,))
    work(0)


def end():
    assert inside == [] and S._value == 1
