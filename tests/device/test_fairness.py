"""Busy threads share the processor equally, and none waits long."""

import _thread
import time

import pytest


def counts_of(functions, ms):
    """Runs functions(step, stop) as threads for that long; returns how often each called step."""
    running = [True]
    counts = [0] * len(functions)
    for slot, function in enumerate(functions):
        _thread.start_new_thread(function, (counts, slot, running))
    time.sleep_ms(20)
    before = list(counts)
    time.sleep_ms(ms)
    after = list(counts)
    running.clear()
    while len(_thread._threads()) > 1:
        time.sleep_ms(5)
    return [b - a for a, b in zip(before, after)]


def loop(counts, slot, running):
    while running:
        counts[slot] += 1


def call(counts, slot, running):
    def add():
        counts[slot] += 1

    while running:
        add()


def allocate(counts, slot, running):
    while running:
        [slot] * 8
        counts[slot] += 1


def throw(counts, slot, running):
    while running:
        try:
            raise ValueError
        except ValueError:
            counts[slot] += 1


def sort(counts, slot, running):
    numbers = list(range(20))
    while running:
        numbers.sort(reverse=True)
        numbers.sort()
        counts[slot] += 1


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("threads", [2, 4, 8])
def test_within_ten_percent(threads):
    counts = counts_of([loop] * threads, 4000)
    spread = 1 - min(counts) / max(counts)
    print(f"{threads} busy threads counted {counts}, spread {spread:.2%}")
    assert spread <= 0.10, f"spread {spread:.2%}: {counts}"


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("threads", [1, 3])
def test_main_takes_part(threads):
    running = [True]
    counts = [0] * (threads + 1)
    for slot in range(threads):
        _thread.start_new_thread(loop, (counts, slot, running))
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < 3000:
        for _ in range(100):
            counts[threads] += 1
    running.clear()
    share = counts[threads] / sum(counts) * (threads + 1)
    assert 0.7 < share < 1.5, f"main got {share:.0%} of its share: {counts}"


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("threads", [2, 4, 8])
def test_longest_wait_is_bounded(threads):
    gaps = [0] * threads
    running = [True]

    def measure(slot):
        previous = time.ticks_us()
        while running:
            now = time.ticks_us()
            gap = time.ticks_diff(now, previous)
            if gap > gaps[slot]:
                gaps[slot] = gap
            previous = now

    for slot in range(threads):
        _thread.start_new_thread(measure, (slot,))
    time.sleep_ms(2000)
    running.clear()
    limit = threads * 7000  # a slice is 5 ms
    print(f"longest waits in us: {gaps}")
    assert max(gaps) < limit, f"waits of {gaps} us, bound {limit} us"


@pytest.mark.lane("hours", "RPI_PICO")
def test_kinds_of_work_share_alike():
    """Time is shared, whatever the work: loops, calls, memory, exceptions, native code."""
    kinds = [loop, call, allocate, throw, sort]
    alone = [counts_of([kind], 500)[0] * 4 for kind in kinds]
    together = counts_of(kinds, 2000)
    shares = [t / a * len(kinds) for t, a in zip(together, alone)]
    text = ", ".join(f"{kind.__name__} {share:.0%}" for kind, share in zip(kinds, shares))
    print(f"of an equal share: {text}")
    assert min(shares) > 0.8, f"of an equal share: {text}"


def test_an_answer_is_prompt_beside_busy_threads():
    """A request and its answer through two locks, beside four threads that compute."""
    running = [True]
    counts = [0] * 4
    request, answer = _thread.allocate_lock(), _thread.allocate_lock()
    request.acquire()
    answer.acquire()

    def serve():
        while running:
            request.acquire()
            time.sleep_ms(1)
            answer.release()

    _thread.start_new_thread(serve, ())
    for slot in range(4):
        _thread.start_new_thread(loop, (counts, slot, running))
    times = []
    for _ in range(50):
        start = time.ticks_us()
        request.release()
        assert answer.acquire(1, 5), "no answer"
        times.append(time.ticks_diff(time.ticks_us(), start))
    running.clear()
    mean = sum(times) // len(times)
    print(f"answers took {mean} us, at most {max(times)} us; busy threads counted {counts}")
    assert mean < 15000, f"an answer took {mean} us on average"
    assert max(times) < 30000, f"an answer took {max(times)} us"
    assert min(counts) > 0, f"a busy thread got nothing: {counts}"
