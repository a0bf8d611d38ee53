# A collection deletes the tasks of threads that have ended, and keeps what a new one has.

import _thread
import gc

interrupts = "tick"
ran = []


def worker(values):
    for _ in range(2):
        pass
    ran.append(sum(values))


def main():
    _thread.start_new_thread(worker, ([1, 2, 3],))
    gc.collect()
    _thread.start_new_thread(worker, ([4, 5, 6],))
    gc.collect()


def end():
    assert sorted(ran) == [6, 15]
