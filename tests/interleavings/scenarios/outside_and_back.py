# Threads leave the GIL for C code and come back to it.

import _thread
import model

interrupts = "tick tick"
ran = []


def worker(name):
    model.outside()
    ran.append(name)


def main():
    _thread.start_new_thread(worker, (1,))
    _thread.start_new_thread(worker, (2,))
    worker(0)


def end():
    assert sorted(ran) == [0, 1, 2]
