"""A thread, or main, that waits for input does not stop the others."""

import _thread
import select
import sys
import time

import pytest


def poll_stdin(ms):
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    return poller.poll(ms)


def count_while(function):
    """How often a busy thread counts in a ms while function() runs on the main thread."""
    running = [True]
    count = [0]

    def beat():
        while running:
            count[0] += 1

    _thread.start_new_thread(beat, ())
    time.sleep_ms(20)
    before, start = count[0], time.ticks_us()
    function()
    rate = (count[0] - before) / time.ticks_diff(time.ticks_us(), start) * 1000
    running.clear()
    time.sleep_ms(20)
    return rate


@pytest.mark.lane("hours", "RPI_PICO")
def test_main_polls():
    alone = count_while(lambda: time.sleep_ms(1000))
    polling = count_while(lambda: poll_stdin(1000))
    print(f"while main polls: {polling / alone:.1%} of the rate")
    assert polling >= 0.95 * alone, f"{polling / alone:.1%} of the rate"


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("pollers", [1, 5])
def test_threads_poll(pollers):
    alone = count_while(lambda: time.sleep_ms(1000))
    for _ in range(pollers):
        _thread.start_new_thread(poll_stdin, (2000,))
    time.sleep_ms(20)
    polling = count_while(lambda: time.sleep_ms(1000))
    print(f"while {pollers} threads poll: {polling / alone:.1%} of the rate")
    assert len(_thread._threads()) == pollers + 1, "a poll has ended early"
    assert polling >= (0.95 - 0.02 * pollers) * alone, f"{polling / alone:.1%} of the rate"


@pytest.mark.parametrize("ms", [0, 1, 5, 50, 200])
def test_poll_lasts_as_long_as_asked(ms):
    start = time.ticks_us()
    events = poll_stdin(ms)
    took = time.ticks_diff(time.ticks_us(), start)
    assert events == [], events
    # poll() looks at a clock of whole milliseconds
    assert (ms - 1) * 1000 <= took <= ms * 1000 + 5000, f"poll({ms}) took {took} us"
