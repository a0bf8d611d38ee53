"""10,000 threads come and go beside a busy one, and memory stays flat."""

import _thread
import time

import pytest
from prelude import free_memory

CYCLES = 10000
BATCH = 10


def run_threads(count):
    for _ in range(count // BATCH):
        ended = []
        for number in range(BATCH):
            _thread.start_new_thread(ended.append, (number,))
        start = time.ticks_ms()
        while len(ended) < BATCH:
            assert time.ticks_diff(time.ticks_ms(), start) < 5000, f"only {len(ended)} ended"
            time.sleep_ms(1)


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.device_timeout(180)
def test_ten_thousand_threads_leave_memory_flat():
    beats = [0]
    running = [True]

    def beat():
        while running:
            beats[0] += 1

    _thread.start_new_thread(beat, ())
    run_threads(CYCLES // 10)
    free = [free_memory()]
    for _ in range(3):
        before = beats[0]
        run_threads(CYCLES * 3 // 10)
        assert beats[0] > before, "the busy thread has stopped"
        free.append(free_memory())
    # One block of 16 bytes lost in every hundredth thread would show.
    assert free[0] - min(free[1:]) < CYCLES * 9 // 1000 * 16, f"free memory over time: {free}"
    running.clear()
    time.sleep_ms(50)
    assert len(_thread._threads()) == 1, _thread._threads()
