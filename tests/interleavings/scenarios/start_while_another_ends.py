# A thread that starts while another ends may run on its task: both run to their end.

import _thread
import time

interrupts = "tick"
ran = []


def worker(name):
    ran.append(name)


def main():
    _thread.start_new_thread(worker, (1,))
    for _ in range(2):
        pass
    _thread.start_new_thread(worker, (2,))
    time.sleep_ms(1)
    _thread.start_new_thread(worker, (3,))


def end():
    assert sorted(ran) == [1, 2, 3]
