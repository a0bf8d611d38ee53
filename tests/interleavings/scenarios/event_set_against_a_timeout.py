# An event that is set as a wait's timeout ends: wait() says True only if it was set, and the next wait() ends at once.

import _thread

interrupts = "tick"
E = _thread._Event()
was_set = []
answers = []


def set():
    was_set.append(1)
    E.set()


def main():
    _thread.start_new_thread(set, ())
    while not E.wait(0.001):
        pass
    assert was_set and E.is_set()
    assert E.wait(0)
    E.clear()
    answers.append(E.wait(0))


def end():
    assert answers == [False]
