"""No lost globals, no torn dict, list or set, whatever the threads do to them."""

import _thread
import gc
import time

import pytest

SIZE = min(1500, gc.mem_free() // 200)


def run_threads(function, count, ms=40000):
    """Runs function(number) in threads; fails with what the first of them raised."""
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
        time.sleep_ms(5)
    assert not errors, errors


def helper(value):
    return value + 1


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("threads", [2, 4])
def test_globals_created_by_threads(threads):
    """While the dict of globals grows and shrinks, a third thread keeps using names from it."""
    running = [True]
    failures = []

    def use_globals():
        try:
            while running:
                assert helper(1) == 2 and SIZE and time.ticks_ms() >= 0
        except Exception as error:
            failures.append(repr(error))

    def create(number):
        names = globals()
        for i in range(SIZE // threads):
            names[f"g{number}_{i}"] = i
        for i in range(SIZE // threads):
            assert names[f"g{number}_{i}"] == i, f"g{number}_{i} is lost"
        for i in range(SIZE // threads):
            del names[f"g{number}_{i}"]

    _thread.start_new_thread(use_globals, ())
    before = set(globals())
    for _ in range(2):
        run_threads(create, threads)
        left = set(globals()) - before
        assert not left, f"names left over: {sorted(left)[:5]}"
        assert before <= set(globals()), f"names lost: {before - set(globals())}"
    running.clear()
    assert not failures, failures


def test_globals_created_by_assignment():
    def create(number):
        code = "\n".join(f"global a{number}_{i}; a{number}_{i} = {i}" for i in range(40))
        for _ in range(5):
            exec(code, globals())

    run_threads(create, 2)
    for number in range(2):
        for i in range(40):
            assert globals()[f"a{number}_{i}"] == i


@pytest.mark.lane("hours", "RPI_PICO")
def test_dict():
    shared = {}

    def change(number):
        for i in range(SIZE):
            key = 3 * i + number
            shared[key] = i
            if i % 4 == 0:
                del shared[key]
            else:
                assert shared[key] == i

    run_threads(change, 3)
    expected = {3 * i + number: i for number in range(3) for i in range(SIZE) if i % 4}
    assert shared == expected, f"{len(shared)} keys instead of {len(expected)}"


@pytest.mark.lane("hours", "RPI_PICO")
def test_list():
    shared = []

    def change(number):
        for i in range(SIZE):
            shared.append((number, i))
            if i % 4 == 0:
                shared.append(None)
                shared.remove(None)

    run_threads(change, 4)
    assert len(shared) == 4 * SIZE, f"{len(shared)} items instead of {4 * SIZE}"
    for number in range(4):
        assert [i for n, i in shared if n == number] == list(range(SIZE)), f"thread {number}"


@pytest.mark.lane("hours", "RPI_PICO")
def test_set_and_attributes():
    class Shared:
        pass

    shared = Shared()
    members = set()

    def change(number):
        for i in range(100):
            members.add((number, i))
            setattr(shared, f"x{number}_{i}", i)
            assert getattr(shared, f"x{number}_{i}") == i
            if i % 2:
                members.discard((number, i))
                delattr(shared, f"x{number}_{i}")

    run_threads(change, 4)
    assert members == {(number, i) for number in range(4) for i in range(0, 100, 2)}
    names = {name for name in dir(shared) if name.startswith("x")}
    assert names == {f"x{number}_{i}" for number in range(4) for i in range(0, 100, 2)}


@pytest.mark.lane("hours", "RPI_PICO")
def test_imports_and_names_made_at_once():
    """Interning strings and importing modules from several threads."""

    def make(number):
        for i in range(30):
            name = f"name_{i}_{number % 2}"
            exec(f"def {name}(): return {i}\nimport time, json, collections", {})
            assert json_round_trip({name: [i]}) == {name: [i]}

    def json_round_trip(value):
        import json

        return json.loads(json.dumps(value))

    run_threads(make, 4)
