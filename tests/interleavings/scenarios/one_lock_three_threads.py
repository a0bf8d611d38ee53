# A lock has one owner among three threads, with acquire(), acquire(0) and a timeout.

import _thread

interrupts = "tick tick"
L = _thread.allocate_lock()
inside = []
done = []


def section(name, *how):
    if L.acquire(*how):
        inside.append(name)
        for _ in range(1):
            assert inside == [name]
        inside.pop()
        L.release()
    done.append(name)


def main():
    _thread.start_new_thread(section, (1, 0))
    _thread.start_new_thread(section, (2, True, 0.001))
    section(0)


def end():
    assert sorted(done) == [0, 1, 2]
    assert not L.locked()
