# Ctrl-C ends a sleep; without it a sleep is as long as it was to be.

import _thread
import time

interrupts = "ctrl_c tick"


def compute():
    for _ in range(3):
        pass


def main():
    _thread.start_new_thread(compute, ())
    start = time.ticks_us()
    try:
        time.sleep_ms(2)
        assert time.ticks_diff(time.ticks_us(), start) >= 2000
    except KeyboardInterrupt:
        pass
