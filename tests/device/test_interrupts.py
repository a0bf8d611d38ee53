"""Starting threads under interrupts: none is lost, nothing freezes."""

import _thread
import machine
import sys
import time

import pytest

# An ESP32's timers have numbers, and an ESP32-C3 has two of them; elsewhere they are virtual.
TIMERS = [0, 1] if sys.platform == "esp32" else [-1, -1, -1]


def start_a_thousand():
    ran = []
    for number in range(1000):
        _thread.start_new_thread(ran.append, (number,))
        if number % 10 == 9:
            start = time.ticks_ms()
            while len(ran) <= number:
                assert time.ticks_diff(time.ticks_ms(), start) < 5000, f"{len(ran)} of {number}"
                time.sleep_ms(1)
    assert sorted(ran) == list(range(1000))


@pytest.mark.parametrize("timers", [1, 3])
def test_a_thousand_starts_under_timers(timers):
    ticks = []
    running = [
        machine.Timer(
            timer,
            mode=machine.Timer.PERIODIC,
            period=1 + number,
            callback=lambda _: ticks.append(len(ticks)),
        )
        for number, timer in enumerate(TIMERS[:timers])
    ]
    start_a_thousand()
    for timer in running:
        timer.deinit()
    print(f"{len(ticks)} callbacks during 1000 starts")
    assert len(ticks) > 50, f"{len(ticks)} callbacks during 1000 starts"


@pytest.mark.lane("hours", "RPI_PICO")
def test_starts_from_a_callback():
    """A timer's callback may start threads itself, beside a busy thread."""
    ran = []
    running = [True]

    def busy():
        while running:
            pass

    _thread.start_new_thread(busy, ())
    timer = machine.Timer(
        TIMERS[0],
        mode=machine.Timer.PERIODIC,
        period=5,
        callback=lambda _: _thread.start_new_thread(ran.append, (_thread.get_ident(),)),
    )
    time.sleep_ms(1000)
    timer.deinit()
    running.clear()
    time.sleep_ms(50)
    assert len(ran) >= 50, f"{len(ran)} threads were started and ran"
    assert set(ran) == {_thread.get_ident()}, ran
    assert len(_thread._threads()) == 1, _thread._threads()


def test_one_shot_timers_and_locks():
    """An interrupt's callback releases, a thread waits: no wake-up is lost."""
    woken = []
    lock = _thread.allocate_lock()
    lock.acquire()

    def wait():
        for _ in range(100):
            woken.append(lock.acquire(1, 1))

    _thread.start_new_thread(wait, ())
    for number in range(100):
        machine.Timer(
            TIMERS[0],
            mode=machine.Timer.ONE_SHOT,
            period=1 + number % 3,
            callback=lambda _: lock.release(),
        )
        start = time.ticks_ms()
        while len(woken) <= number:
            assert time.ticks_diff(time.ticks_ms(), start) < 2000, f"{len(woken)} of {number}"
            time.sleep_ms(1)
    assert woken == [True] * 100, woken


@pytest.mark.parametrize(
    "sleep, argument", [("sleep_ms", 50), ("sleep", 0.05), ("sleep_us", 50_000)]
)
def test_sleep_with_interrupts_off(sleep, argument):
    """It lasts, although nothing may wait; and the clock and the kernel go on afterwards."""
    function = getattr(time, sleep)
    state = machine.disable_irq()
    start = time.ticks_us()
    function(argument)
    took = time.ticks_diff(time.ticks_us(), start)
    machine.enable_irq(state)
    assert 50_000 <= took < 55_000, took
    start = time.ticks_us()
    time.sleep_ms(20)
    assert 20_000 <= time.ticks_diff(time.ticks_us(), start) < 25_000
