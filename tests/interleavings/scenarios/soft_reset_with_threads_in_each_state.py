# A soft reset ends threads that wait, sleep, compute and are outside.

import _thread
import model
import time

reset = True
interrupts = "tick"
L = _thread.allocate_lock()
L.acquire()


def waits():
    L.acquire()


def sleeps():
    time.sleep_ms(100)


def computes():
    while True:
        model.outside()


def main():
    _thread.start_new_thread(waits, ())
    _thread.start_new_thread(sleeps, ())
    for _ in range(1):
        pass
