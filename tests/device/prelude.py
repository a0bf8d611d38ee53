"""What device tests share; see docs/device-tests.md."""

import _thread
import gc
import time


def wait_until(condition, ms=5000):
    """Wait until the condition holds, for at most so many milliseconds; other threads run."""
    start = time.ticks_ms()
    while not condition():
        assert time.ticks_diff(time.ticks_ms(), start) < ms, f"still waiting after {ms} ms"
        time.sleep_ms(1)


def start_computing(count):
    """Start so many threads that compute until the returned list is cleared."""
    running = [True]

    def compute():
        while running:
            pass

    for _ in range(count):
        _thread.start_new_thread(compute, ())
    return running


def free_memory():
    """Returns how much of the heap is free when no garbage is left."""
    gc.collect()
    return gc.mem_free()


def rate(count, function):
    """Returns how much larger count[0] becomes in a second in which the function runs."""
    before, start = count[0], time.ticks_us()
    function()
    return (count[0] - before) * 1000000 // time.ticks_diff(time.ticks_us(), start)
