# A collection sees all that a thread holds which comes back from C code without the GIL.

import _thread
import gc
import model

interrupts = "tick"
kept = []


def worker():
    mine = [1, 2, 3] + [4]
    model.outside()
    text = [mine, "x" * 2]
    model.outside()
    kept.append(text)


def main():
    _thread.start_new_thread(worker, ())
    gc.collect()
    garbage = [[0] * 4 for _ in range(3)]
    model.outside()
    gc.collect()
    garbage = [[7] * 4 for _ in range(3)]


def end():
    assert kept == [[[1, 2, 3, 4], "xx"]]
