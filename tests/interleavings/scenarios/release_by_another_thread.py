# Any thread may release a lock that another has acquired.

import _thread

interrupts = "tick"
L = _thread.allocate_lock()
steps = []


def helper():
    steps.append("released")
    L.release()


def main():
    L.acquire()
    _thread.start_new_thread(helper, ())
    L.acquire()
    assert steps == ["released"]


def end():
    assert L.locked()
    L.release()
    try:
        L.release()
        assert False
    except RuntimeError:
        pass
