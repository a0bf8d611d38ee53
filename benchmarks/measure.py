# Sent to the board before a benchmark. Every figure is one line that the host reads:
# (name, unit, total, number of times); times are in nanoseconds.

import gc
import time


def elapsed(function, n):
    start = time.ticks_us()
    function(n)
    return time.ticks_diff(time.ticks_us(), start) * 1000


def cost(function, n):
    """Return what the n times that function(n) repeats take, without the call itself."""
    function(1)
    gc.collect()
    return -elapsed(function, 0) + elapsed(function, n)


def report(name, unit, total, n):
    print((name, unit, total, n))


def measure(name, function, n, loop=None, per_time=1):
    """Report what one of the n times takes, net of `loop` if that is given."""
    total = cost(function, n) - (cost(loop, n) if loop else 0)
    report(name, "ns", total, n * per_time)


# What several benchmarks measure.
def collect(n):
    for i in range(n):
        gc.collect()


def depth(level=0):
    try:
        return depth(level + 1)
    except RuntimeError:
        return level
