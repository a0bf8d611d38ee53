# Ctrl-C ends the wait for a semaphore: the release that was meant for it is for the next in line.

import _thread
import model

interrupts = "ctrl_c"
S = _thread._Semaphore(0)
raised = [0]


def main():
    _thread.start_new_thread(S.acquire, ())
    _thread.start_new_thread(S.release, ())
    try:
        S.acquire()
        S.release()
    except KeyboardInterrupt:
        raised[0] = 1


def end():
    assert raised[0] <= model.taken(model.CTRL_C)
    assert S._value == 0
