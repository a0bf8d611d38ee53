"""Callbacks run on the main thread, and a lock in a callback can be handled."""

import _thread
import machine
import micropython
import select
import sys
import time

import pytest
from prelude import start_computing, wait_until

MAIN = _thread.get_ident()


def compute(ms):
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < ms:
        pass


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.parametrize("main_is", ["computing", "sleeping", "blocked"])
def test_scheduled_by_threads(main_is):
    idents = []
    refused = []
    waiting = _thread.allocate_lock()
    waiting.acquire()

    def schedule():
        for _ in range(25):
            try:
                micropython.schedule(lambda _: idents.append(_thread.get_ident()), None)
            except RuntimeError:  # the queue is full
                refused.append(None)
            compute(2)

    for _ in range(4):
        _thread.start_new_thread(schedule, ())
    while len(_thread._threads()) > 1:
        if main_is == "computing":
            compute(20)
        elif main_is == "sleeping":
            time.sleep_ms(20)
        else:
            waiting.acquire(1, 0.02)
    wait_until(lambda: len(idents) + len(refused) == 100)
    assert len(idents) >= 10, f"{len(idents)} callbacks ran, {len(refused)} were refused"
    assert set(idents) == {MAIN}, f"callbacks ran on {set(idents)}, main is {MAIN}"


@pytest.mark.parametrize("how", ["sleep", "sleep_us", "acquire", "poll"])
@pytest.mark.parametrize("beside", ["nobody", "computing"])
def test_all_run_at_once_while_main_waits(how, beside):
    ran = []
    running = [beside == "computing"]
    lock = _thread.allocate_lock()
    lock.acquire()
    poll = select.poll()
    poll.register(sys.stdin, select.POLLIN)

    def busy():
        while running[0]:
            pass

    if running[0]:
        _thread.start_new_thread(busy, ())
    waits = {
        "sleep": lambda: time.sleep_ms(300),
        "sleep_us": lambda: time.sleep_us(300_000),
        "acquire": lambda: lock.acquire(1, 0.3),
        "poll": lambda: poll.poll(300),
    }
    wait = waits[how]
    schedule = micropython.schedule
    note = lambda start: ran.append(time.ticks_diff(time.ticks_ms(), start))
    start = time.ticks_ms()
    schedule(note, start), schedule(note, start), schedule(note, start), schedule(note, start)
    wait()  # without a branch before it, where callbacks would run
    running[0] = False
    assert len(ran) == 4 and max(ran) < 100, ran


def test_one_that_schedules_itself_lets_others_run():
    lock = _thread.allocate_lock()
    lock.acquire()
    left = [1000]

    def again(_):
        left[0] -= 1
        if lock.locked() and left[0] > 0:
            micropython.schedule(again, None)

    def release():
        time.sleep_ms(20)
        lock.release()

    _thread.start_new_thread(release, ())
    micropython.schedule(again, None)
    start = time.ticks_ms()
    assert lock.acquire(1, 5)
    took = time.ticks_diff(time.ticks_ms(), start)
    assert took < 100, took


def test_timer_callbacks_beside_busy_threads():
    idents = []
    running = start_computing(3)
    timer = machine.Timer(
        0 if sys.platform == "esp32" else -1,
        mode=machine.Timer.PERIODIC,
        period=10,
        callback=lambda _: idents.append(_thread.get_ident()),
    )
    time.sleep_ms(500)
    timer.deinit()
    running.clear()
    count = len(idents)
    assert count >= 15, f"{count} callbacks in 500 ms at a period of 10 ms"
    assert set(idents) == {MAIN}, f"callbacks ran on {set(idents)}, main is {MAIN}"
    time.sleep_ms(50)
    assert len(idents) <= count + 1, "callbacks go on after deinit()"


@pytest.mark.parametrize("holder", ["main", "thread"])
def test_a_held_lock_in_a_callback(holder):
    """acquire(0) and a timeout come back, although the callback interrupts the holder."""
    lock = _thread.allocate_lock()
    results = []
    go_on = []

    def callback(_):
        results.append(lock.acquire(0))
        start = time.ticks_ms()
        results.append(lock.acquire(1, 0.05))
        results.append(time.ticks_diff(time.ticks_ms(), start))

    def hold():
        with lock:
            micropython.schedule(callback, None)
            wait_until(lambda: len(results) == 3 or go_on)

    if holder == "main":
        hold()
    else:
        _thread.start_new_thread(hold, ())
        wait_until(lambda: len(results) == 3)
    assert results[:2] == [False, False], results
    assert 50 <= results[2] <= 60, f"a timeout of 50 ms took {results[2]} ms"
    wait_until(lambda: not lock.locked())


def test_a_callback_releases_the_lock_that_main_waits_for():
    """A scheduled callback reaches the main thread while it sleeps; a thread is woken by it."""
    lock = _thread.allocate_lock()
    lock.acquire()
    woken = []
    _thread.start_new_thread(lambda: woken.append(lock.acquire(1, 2)), ())
    micropython.schedule(lambda _: lock.release(), None)
    wait_until(lambda: woken)
    assert woken == [True], woken


@pytest.mark.expect_output("ValueError: deliberate")
def test_an_exception_in_a_callback_hits_no_thread():
    ended = []

    def fail(_):
        raise ValueError("deliberate")

    def run():
        try:
            micropython.schedule(fail, None)
            compute(50)
            time.sleep_ms(20)
            ended.append("well")
        except ValueError:
            ended.append("hit by the callback's exception")

    _thread.start_new_thread(run, ())
    wait_until(lambda: ended)
    assert ended == ["well"], ended


class RLock:
    """A re-entrant lock made of the module's own parts, as threading.RLock is in CPython."""

    def __init__(self):
        self._lock = _thread.allocate_lock()
        self._owner = None
        self._count = 0

    def acquire(self, waitflag=1, timeout=-1):
        if self._owner != _thread.get_ident():
            if not self._lock.acquire(waitflag, timeout):
                return False
            self._owner = _thread.get_ident()
        self._count += 1
        return True

    def release(self):
        self._count -= 1
        if self._count == 0:
            self._owner = None
            self._lock.release()


def test_a_reentrant_lock_in_a_callback():
    """A callback may take what main holds: it runs on main. Other threads still may not."""
    lock = RLock()
    taken = []

    def callback(_):
        taken.append((lock.acquire(1, 0.05), _thread.get_ident()))
        lock.release()

    assert lock.acquire()
    micropython.schedule(callback, None)
    wait_until(lambda: taken)
    assert taken == [(True, MAIN)], taken
    _thread.start_new_thread(lambda: taken.append(lock.acquire(1, 0.02)), ())
    wait_until(lambda: len(taken) == 2)
    lock.release()
    assert taken[1] is False, taken
