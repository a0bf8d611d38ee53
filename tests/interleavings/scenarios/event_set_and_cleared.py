# All who wait for an event go on when it is set, even if it is cleared before they run.

import _thread

interrupts = ""
E = _thread._Event()
waiting = []
through = []


def wait(n):
    waiting.append(n)
    through.append(E.wait())


def main():
    _thread.start_new_thread(wait, (1,))
    _thread.start_new_thread(wait, (2,))
    for _ in range(2):
        pass
    seen = len(waiting)
    E.set()
    if seen == 2:
        E.clear()


def end():
    assert through == [True, True]
