# Computing threads take turns, and a thread that comes from a wait does not lose its own.

import _thread
import time

interrupts = "tick tick tick"
_thread.setswitchinterval(0.001)
ran = []


def compute(name):
    for _ in range(3):
        pass
    ran.append(name)


def sleeper():
    time.sleep_ms(1)
    ran.append("sleeper")


def main():
    _thread.start_new_thread(compute, (1,))
    _thread.start_new_thread(sleeper, ())
    compute(0)


def end():
    assert len(ran) == 3
