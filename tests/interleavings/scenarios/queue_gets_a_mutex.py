# Who has the mutex of a queue has the items for itself, even if others waited there before the queue had a mutex.

import _thread

interrupts = ""
Q = _thread._Queue()
got = []


def get():
    got.append(Q.get())


def look():
    Q.put(1)
    with Q.mutex:
        n = len(Q.queue)
        for _ in range(1):
            pass
        assert len(Q.queue) == n
    Q.put(2)


def main():
    _thread.start_new_thread(get, ())
    _thread.start_new_thread(look, ())
    got.append(Q.get())


def end():
    assert sorted(got) == [1, 2] and Q.empty() and not Q.mutex.locked()
