# Another task becomes a guest when the first one has left, beside a thread that computes and Ctrl-C.

import _thread

guests = 2
interrupts = "tick ctrl_c"
ran = []


def guest():
    ran.append("guest")


def compute():
    for _ in range(2):
        pass
    ran.append("thread")


def main():
    try:
        _thread.start_new_thread(compute, ())
        for _ in range(2):
            pass
    except KeyboardInterrupt:
        pass


def end():
    assert ran.count("guest") == 2
    assert ran.count("thread") <= 1
