"""Files are written in threads while others compute."""

import _thread
import os
import time

import pytest


def run_threads(function, arguments, ms=30000):
    """Runs function(argument) in a thread for each argument; fails with what one raised."""
    ended = []
    errors = []

    def run(argument):
        try:
            function(argument)
        except Exception as error:
            errors.append(repr(error))
        ended.append(argument)

    for argument in arguments:
        _thread.start_new_thread(run, (argument,))
    start = time.ticks_ms()
    while len(ended) < len(arguments):
        assert time.ticks_diff(time.ticks_ms(), start) < ms, f"only {ended} have ended"
        time.sleep_ms(5)
    assert not errors, errors


def line(name, i):
    return f"{name} {i} " + "x" * (i % 50) + "\n"


def write_and_check(name):
    for turn in range(3):
        with open(name, "w") as file:
            for i in range(60):
                file.write(line(name, i + turn))
        with open(name) as file:
            for i in range(60):
                text = file.readline()
                assert text == line(name, i + turn), f"{name}, line {i}: {text!r}"
    assert name in os.listdir()
    os.remove(name)
    assert name not in os.listdir()


@pytest.mark.parametrize("writers", [1, 3])
def test_writing_while_others_compute(writers):
    counts = [0, 0]
    running = [True]

    def compute(slot):
        while running:
            counts[slot] += 1

    for slot in range(2):
        _thread.start_new_thread(compute, (slot,))
    time.sleep_ms(20)
    before = list(counts)
    run_threads(write_and_check, [f"file{i}.txt" for i in range(writers)])
    advance = [b - a for a, b in zip(before, counts)]
    running.clear()
    assert min(advance) > 0, f"threads advanced by {advance} during the writes"
    write_and_check("after.txt")


def test_one_file_from_several_threads():
    """Each line arrives whole, and none is lost."""
    lock = _thread.allocate_lock()
    with open("shared.txt", "w") as file:

        def write(name):
            for i in range(40):
                with lock:
                    file.write(line(name, i))

        run_threads(write, ["a", "b", "c"])
    with open("shared.txt") as file:
        lines = file.readlines()
    os.remove("shared.txt")
    assert sorted(lines) == sorted(line(name, i) for name in "abc" for i in range(40))


def test_folders_from_several_threads():
    def work(name):
        for i in range(5):
            os.mkdir(name)
            with open(f"{name}/inner.txt", "w") as file:
                file.write(name)
            assert os.listdir(name) == ["inner.txt"]
            os.remove(f"{name}/inner.txt")
            os.rmdir(name)

    before = set(os.listdir())
    run_threads(work, [f"folder{i}" for i in range(4)])
    assert set(os.listdir()) == before
