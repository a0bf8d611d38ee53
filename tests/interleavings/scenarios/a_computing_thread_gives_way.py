# A thread that computes for ever gives way to others, and to Ctrl-C.

import _thread

interrupts = "ctrl_c tick tick"
_thread.setswitchinterval(0.001)
ready = []


def worker():
    ready.append(1)


def main():
    _thread.start_new_thread(worker, ())
    try:
        while not ready:
            pass
    except KeyboardInterrupt:
        pass


def end():
    assert ready == [1]
