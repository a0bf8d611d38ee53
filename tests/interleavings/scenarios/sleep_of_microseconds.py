# A sleep of microseconds is not too short, beside a thread that computes.

import _thread
import time


def compute():
    for _ in range(2):
        pass


def main():
    _thread.start_new_thread(compute, ())
    start = time.ticks_us()
    time.sleep_us(1500)
    assert time.ticks_diff(time.ticks_us(), start) >= 1500
