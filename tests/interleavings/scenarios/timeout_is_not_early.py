# acquire() with a timeout returns False, and not before its time.

import _thread
import time

interrupts = "tick tick"
L = _thread.allocate_lock()


def main():
    L.acquire()
    start = time.ticks_us()
    assert not L.acquire(True, 0.002)
    assert time.ticks_diff(time.ticks_us(), start) >= 2000
    # A tick more, and as many as come between the look at the clock and the wait.
    assert time.ticks_diff(time.ticks_us(), start) <= 6000
    assert not L.acquire(True, 0.0)
    assert not L.acquire(False)


def end():
    assert L.locked()
