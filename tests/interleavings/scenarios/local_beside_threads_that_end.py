# Each thread has attributes of its own, which no other one's coming or going changes.

import _thread

interrupts = ""
L = _thread._local()
seen = []


def work(n):
    assert not hasattr(L, "n")
    L.n = n
    for _ in range(1):
        pass
    seen.append(L.n)


def main():
    L.n = 0
    _thread.start_new_thread(work, (1,))
    _thread.start_new_thread(work, (2,))
    for _ in range(1):
        assert L.n == 0


def end():
    assert sorted(seen) == [1, 2] and L.n == 0
