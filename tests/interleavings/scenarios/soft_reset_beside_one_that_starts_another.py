# A soft reset beside a thread that is about to start another one.

import _thread
import time

reset = True
prints = True
interrupts = "tick"


def child():
    for _ in range(1):
        pass


def parent():
    _thread.start_new_thread(child, ())
    time.sleep_ms(50)


def main():
    _thread.start_new_thread(parent, ())
    for _ in range(1):
        pass
