# A task that is no thread's gets the GIL, and gives it back.

import _thread
import time

interrupts = "tick"
ran = []


def guest():
    ran.append("guest")


def compute():
    for _ in range(2):
        pass
    ran.append("thread")


def main():
    _thread.start_new_thread(compute, ())
    for _ in range(2):
        pass
    time.sleep_ms(1)


def end():
    assert sorted(ran) == ["guest", "thread"]
