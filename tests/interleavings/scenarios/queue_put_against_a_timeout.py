# An item that comes as the timeout of a get() ends is got or stays in the queue; it is never lost.

import _thread

interrupts = "tick"
Q = _thread._Queue(1)
got = []


def put():
    Q.put(1)
    Q.put(2)


def main():
    _thread.start_new_thread(put, ())
    while len(got) < 2:
        try:
            got.append(Q.get(True, 0.001))
        except _thread._Empty:
            assert Q.qsize() <= 1


def end():
    assert got == [1, 2] and Q.empty()
