"""machine.lightsleep() beside threads."""

import _thread
import machine
import time

import pytest


def light(ms):
    start = time.ticks_us()
    machine.lightsleep(ms)
    return time.ticks_diff(time.ticks_us(), start)


@pytest.mark.boards("RPI_PICO")
@pytest.mark.parametrize("kind", ["nobody", "sleeping", "computing", "blocked"])
def test_it_lasts_and_ends(kind):
    running = [True]
    lock = _thread.allocate_lock()
    lock.acquire()

    def work():
        while running:
            if kind == "sleeping":
                time.sleep_ms(1)
            elif kind == "blocked":
                lock.acquire(1, 0.002)

    if kind != "nobody":
        for _ in range(2):
            _thread.start_new_thread(work, ())
    time.sleep_ms(5)
    times = (0, 1, 2, 10, 50)
    took = [light(ms) for ms in times]
    running.clear()
    print(took)
    for us, ms in zip(took, times):
        assert ms * 1000 <= us <= ms * 1000 + 15000, took
    start = time.ticks_us()
    time.sleep_ms(20)
    late = time.ticks_diff(time.ticks_us(), start) - 20000
    assert 0 <= late <= 2500, f"a sleep afterwards is {late} us late"


@pytest.mark.boards("RPI_PICO")
def test_timeouts_go_on_meanwhile():
    lock = _thread.allocate_lock()
    lock.acquire()
    took = []

    def wait():
        start = time.ticks_ms()
        lock.acquire(1, 0.1)
        took.append(time.ticks_diff(time.ticks_ms(), start))

    _thread.start_new_thread(wait, ())
    time.sleep_ms(5)
    machine.lightsleep(60)
    time.sleep_ms(60)
    assert len(took) == 1 and 99 <= took[0] <= 103, took


@pytest.mark.boards("RPI_PICO")
def test_idle_lets_others_run():
    count = [0]
    running = [True]

    def work():
        while running:
            count[0] += 1

    _thread.start_new_thread(work, ())
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < 20:
        machine.idle()
    running.clear()
    assert count[0] > 100, count


@pytest.mark.boards("RPI_PICO")
def test_it_is_not_late():
    """However long it is; each millisecond of it has cost more than one microsecond."""
    light(10)
    short, long = light(20), light(2000)
    lateness = (long - 2_000_000) - (short - 20_000)
    assert lateness < 1000, f"{lateness} us more for 2 s than for 20 ms"


@pytest.mark.boards("RPI_PICO")
def test_other_threads_waits_end_with_it():
    """The clock goes on while the processor sleeps: a wait does not become longer."""
    ended = []
    start = time.ticks_ms()

    def wait():
        time.sleep_ms(100)
        ended.append(time.ticks_diff(time.ticks_ms(), start))

    _thread.start_new_thread(wait, ())
    time.sleep_ms(5)
    machine.lightsleep(300)
    time.sleep_ms(10)
    assert ended and ended[0] < 330, ended
