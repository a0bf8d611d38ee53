"""Whatever a thread refers to, and only that, outlives the garbage collections of all others."""

import _thread
import gc
import time

import pytest


def pattern(number, i):
    return bytes((number, i & 255)) * (8 + i * 37 % 120)


def churn(number, ms, failures, turns):
    """Allocates, keeps the last few blocks, checks all of them, collects now and then."""
    keep = []
    i = 0
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < ms and not failures:
        keep.append((i, pattern(number, i), str(i), {i: [i]}))
        if len(keep) > 12:
            keep.pop(0)
        for j, block, text, table in keep:
            if block != pattern(number, j) or text != str(j) or table != {j: [j]}:
                failures.append(f"thread {number}, item {j}: {block[:8]}, {text}, {table}")
        if i % 32 == number:
            gc.collect()
        i += 1
    turns.append(i)


def run_churn(threads, ms):
    failures = []
    turns = []
    for number in range(threads):
        _thread.start_new_thread(churn, (number, ms, failures, turns))
    start = time.ticks_ms()
    while len(turns) < threads:
        assert time.ticks_diff(time.ticks_ms(), start) < ms + 10000, f"{len(turns)} have ended"
        time.sleep_ms(20)
    assert not failures, failures
    assert min(turns) > 50, f"blocks a thread allocated: {turns}"


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("threads", [2, 6])
def test_data_stays_intact(threads):
    run_churn(threads, 5000)


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.lane("long")
@pytest.mark.device_timeout(120)
def test_data_stays_intact_for_a_minute():
    run_churn(4, 60000)


def refill_the_heap():
    """Collects, then writes over everything that was freed."""
    gc.collect()
    for _ in range(2):
        blocks = []
        for size in (16, 32, 64, 128, 256):
            blocks.append([bytearray(b"\xee" * size) for _ in range(40)])
    return blocks


def test_arguments_of_a_thread_that_has_not_run():
    """Between the start and the first instruction only the thread refers to its arguments."""
    results = []

    def check(number, block, *, table):
        good = block == pattern(number, number) and table == {"x": [number] * 10}
        results.append((number, good))

    def start(number, depth):
        """Starts the thread from far down the stack, so that main's keeps no trace of it."""
        if depth:
            return start(number, depth - 1)
        block, table = pattern(number, number), {"x": [number] * 10}
        _thread.start_new_thread(check, (number, block), {"table": table})

    filling = [b"\xee" * 28] * 100
    for number in range(8):
        start(number, 5)
        gc.collect()  # no branch in these lines, so main is not interrupted
        blocks = list(map(bytearray, filling))
    del blocks
    time.sleep_ms(200)
    assert sorted(results) == [(number, True) for number in range(8)], results


@pytest.mark.parametrize(
    "how",
    [
        "acquire",
        "timeout",
        "sleep",
        pytest.param("compute", marks=pytest.mark.lane("long", "RPI_PICO")),
    ],
)
def test_locals_of_a_thread_that_does_not_run(how):
    """Blocked, asleep or waiting for its turn: what is on its stack counts."""
    gate = _thread.allocate_lock()
    gate.acquire()
    results = []
    opened = []

    def pause():
        if how == "acquire":
            with gate:
                pass
        elif how == "timeout":
            while not gate.acquire(1, 0.005):
                pass
            gate.release()
        else:
            while not opened:
                if how == "sleep":
                    time.sleep_ms(1)

    def hold(number):
        block = pattern(number, number)
        inner(number, [number] * 20, block + b"!")
        results.append(block == pattern(number, number))

    def inner(number, numbers, block):
        text = f"text {number}"
        pause()
        good = block == pattern(number, number) + b"!" and numbers == [number] * 20
        results.append(good and text == f"text {number}")

    for number in range(5):
        _thread.start_new_thread(hold, (number,))
    for _ in range(10):
        time.sleep_ms(7)
        refill_the_heap()
    assert not results, "a thread did not wait"
    opened.append(True)
    gate.release()
    time.sleep_ms(200)
    assert results == [True] * 10, results


def test_locks_of_waiting_threads_are_kept():
    """Of two locks, only the waiting thread knows one, and no thread knows the other."""
    results = []

    def wait_for_own_lock():
        lock = _thread.allocate_lock()
        lock.acquire()
        results.append(lock.acquire(1, 0.1))

    for _ in range(5):
        _thread.start_new_thread(wait_for_own_lock, ())
        _thread.allocate_lock().acquire()
    for _ in range(10):
        time.sleep_ms(5)
        refill_the_heap()
    time.sleep_ms(200)
    assert results == [False] * 5, results
