# Ctrl-C ends acquire(), twice in a row: then the lock is not owned; it is never lost.

import _thread
import model

interrupts = "ctrl_c ctrl_c tick"
L = _thread.allocate_lock()
raised = [0]


def helper():
    with L:
        for _ in range(2):
            pass


def main():
    _thread.start_new_thread(helper, ())
    while True:
        try:
            with L:
                for _ in range(1):
                    assert L.locked()
            break
        except KeyboardInterrupt:
            raised[0] += 1


def end():
    assert raised[0] <= model.taken(model.CTRL_C)
    assert not L.locked()
