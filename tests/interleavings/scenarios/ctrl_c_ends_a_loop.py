# Ctrl-C ends a loop of the main thread, beside another that computes and waits.

import _thread
import model

interrupts = "ctrl_c tick"
_thread.setswitchinterval(0.001)
L = _thread.allocate_lock()


def worker():
    for _ in range(2):
        with L:
            model.outside()


def main():
    _thread.start_new_thread(worker, ())
    with L:
        try:
            for _ in range(2):
                before = model.taken(model.CTRL_C)
                for _ in range(2):
                    pass
                assert not before
                model.outside()
        except KeyboardInterrupt:
            pass


def end():
    assert not L.locked()
