# A thread leaves the line at its timeout, others stay in it.

import _thread
import time

interrupts = "tick"
L = _thread.allocate_lock()
got = []


def patient(name):
    with L:
        got.append(name)


def impatient():
    if L.acquire(True, 0.001):
        got.append("impatient")
        L.release()


def main():
    L.acquire()
    _thread.start_new_thread(patient, (1,))
    _thread.start_new_thread(impatient, ())
    time.sleep_ms(1)
    _thread.start_new_thread(patient, (2,))
    time.sleep_ms(4)
    L.release()


def end():
    assert sorted(x for x in got if x != "impatient") == [1, 2]
    assert not L.locked()
