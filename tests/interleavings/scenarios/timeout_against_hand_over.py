# A timeout that ends when the lock is handed over: True owns it, False does not.

import _thread
import time

interrupts = "tick tick tick"
L = _thread.allocate_lock()
answers = []


def wait():
    answer = L.acquire(True, 0.002)
    answers.append(answer)
    if answer:
        assert L.locked()
        L.release()


def main():
    L.acquire()
    _thread.start_new_thread(wait, ())
    time.sleep_ms(1)
    for _ in range(2):
        pass
    L.release()


def end():
    assert len(answers) == 1
    assert not L.locked()
