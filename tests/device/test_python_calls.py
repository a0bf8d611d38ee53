"""Structures stay whole while C code that walks or changes them calls Python: other threads wait meanwhile."""

import _thread
import gc
import heapq
import time

import pytest


def run_threads(function, count, ms=60000):
    """Runs function(number) in threads; fails with what the first of them raised."""
    _thread.setswitchinterval(0.001)
    ended = []
    errors = []

    def run(number):
        try:
            function(number)
        except Exception as error:
            errors.append(repr(error))
        ended.append(number)

    for number in range(count):
        _thread.start_new_thread(run, (number,))
    start = time.ticks_ms()
    while len(ended) < count:
        assert time.ticks_diff(time.ticks_ms(), start) < ms, f"only {ended} have ended"
        time.sleep_ms(2)
    assert not errors, errors


class Key:
    """Equal keys are few, equal hashes are many."""

    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number % 7

    def __eq__(self, other):
        for _ in range(2):
            pass
        return self.number == other.number

    def __lt__(self, other):
        for _ in range(2):
            pass
        return self.number < other.number


KEYS = 40


@pytest.mark.parametrize(
    "turn",
    [
        1,
        pytest.param(2, marks=pytest.mark.lane("long", "RPI_PICO")),
        pytest.param(3, marks=pytest.mark.lane("long", "RPI_PICO")),
    ],
)
def test_dict_with_python_keys(turn):
    """The key is found; nothing is lost."""
    shared = {}

    def work(thread):
        for number in range(thread * 1000, thread * 1000 + KEYS):
            shared[Key(number)] = number
        for number in range(thread * 1000, thread * 1000 + KEYS):
            assert shared.get(Key(number)) == number, f"{number} is lost"

    run_threads(work, 3)
    gc.collect()
    assert len(shared) == 3 * KEYS


def test_set_and_tuple_keys():
    shared = set()

    def work(thread):
        for number in range(KEYS):
            shared.add((thread, Key(number)))
        for number in range(KEYS):
            assert (thread, Key(number)) in shared, f"{number} is lost"

    run_threads(work, 3)
    assert len(shared) == 3 * KEYS


def test_sort_beside_append():
    """The key is called with items only, and each item is there afterwards."""
    shared = list(range(20))
    wrong = []

    def key(item):
        if not isinstance(item, int):
            wrong.append(item)
        return -item

    def work(thread):
        for number in range(10):
            if thread == 0:
                shared.sort(key=key)
            else:
                for i in range(3):
                    shared.append(1000 * thread + 10 * number + i)

    run_threads(work, 3)
    assert not wrong
    expected = list(range(20)) + [
        1000 * t + 10 * n + i for t in (1, 2) for n in range(10) for i in range(3)
    ]
    assert sorted(shared) == expected


def test_index_count_and_comparison_beside_append():
    shared = [Key(number) for number in range(30)]
    twin = list(shared)
    twin[-1] = Key(29)

    def work(thread):
        if thread == 0:
            for _ in range(40):
                assert shared.index(Key(25)) == 25
                assert shared.count(Key(25)) == 1
                assert shared[:30] == twin
                assert not (shared < twin)
        else:
            for _ in range(300):
                shared.append(Key(100))
            for _ in range(300):
                shared.pop()

    run_threads(work, 2)


def test_heap_of_python_objects():
    heap = []
    taken = []

    def work(thread):
        for number in range(40):
            heapq.heappush(heap, Key(number))
            heapq.heappush(heap, Key(100 + number))
            taken.append(heapq.heappop(heap).number)

    run_threads(work, 3)
    taken += [heapq.heappop(heap).number for _ in range(len(heap))]
    assert sorted(taken) == sorted(3 * (list(range(40)) + list(range(100, 140))))


def test_printing_a_dict_that_changes():
    """What is printed beside a key is its value, also if the dict has moved meanwhile and its memory is in use again."""

    class Printed:
        def __init__(self, number):
            self.number = number

        def __repr__(self):
            for _ in range(30):
                pass
            return str(self.number)

    shared = {Printed(number): number for number in range(20)}
    texts = []
    running = [True]

    def work(thread):
        if thread == 0:
            for _ in range(20):
                texts.append(str(shared))
            running.clear()
        else:
            while running:
                items = shared.copy()
                shared.clear()
                shared.update(items)
                junk = [["wrong"] * size for size in (40, 40, 80, 80)]

    run_threads(work, 2)
    for text in texts:
        for item in text[1:-1].split(", ") if text != "{}" else ():
            key, value = item.split(": ")
            assert key == value, item


def test_waiting_in_a_key():
    """C code calls Python that may sleep and print: others wait as long. A lock of theirs is an error."""
    lock = _thread.allocate_lock()
    counts = [0]
    seen = []
    running = [True]

    class Sleeper(Key):
        def __eq__(self, other):
            before = counts[0]
            time.sleep_ms(20)
            print("", end="")
            seen.append(counts[0] - before)
            return self.number == other.number

    class Waiter(Key):
        def __eq__(self, other):
            with lock:
                return True

    def count():
        while running:
            counts[0] += 1

    _thread.start_new_thread(count, ())
    start = time.ticks_ms()
    assert {Sleeper(7): 1}.get(Sleeper(14)) is None
    assert 20 <= time.ticks_diff(time.ticks_ms(), start) < 200
    assert seen == [0]
    with lock:
        try:
            {Waiter(7): 1}.get(Waiter(14))
            assert False, "nothing was raised"
        except RuntimeError as error:
            assert "can't wait" in str(error)
    assert {Waiter(7): 1}.get(Waiter(14)) == 1  # the lock is free
    before = counts[0]
    time.sleep_ms(20)
    assert counts[0] > before, "the exception has left the others out"
    running.clear()


def test_callback_waits_for_the_structure():
    """A callback does not come between either; it comes afterwards."""
    import micropython

    order = []

    class Slow(Key):
        def __eq__(self, other):
            micropython.schedule(order.append, "callback")
            for _ in range(50):
                pass
            order.append("equal")
            return True

    assert {Slow(7): 1}.get(Slow(14)) == 1
    time.sleep_ms(1)
    assert order == ["equal", "callback"]
