"""What device tests share; see docs/device-tests.md."""

import gc
import time


def wait_until(condition, ms=5000):
    """Wait until the condition holds, for at most so many milliseconds; other threads run."""
    start = time.ticks_ms()
    while not condition():
        assert time.ticks_diff(time.ticks_ms(), start) < ms, f"still waiting after {ms} ms"
        time.sleep_ms(1)


def free_memory():
    """Returns how much of the heap is free when no garbage is left."""
    gc.collect()
    return gc.mem_free()
