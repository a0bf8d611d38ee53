# A collection deletes the tasks in the pool, and not one on which a thread has started again.

import _thread
import gc
import time

interrupts = "tick"
ran = []


def worker(name):
    for _ in range(2):
        pass
    ran.append(name)


def main():
    _thread.start_new_thread(worker, (1,))
    time.sleep_ms(1)
    _thread.start_new_thread(worker, (2,))
    gc.collect()
    time.sleep_ms(1)
    gc.collect()


def end():
    assert sorted(ran) == [1, 2]
