"""Files are written in threads while others compute."""

import _thread
import gc
import os
import sys
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


@pytest.mark.parametrize(
    "writers", [pytest.param(1, marks=pytest.mark.lane("long", "RPI_PICO")), 3]
)
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


def test_the_main_programs_names_are_its_own():
    """The file system has others, whatever a program calls `len`."""
    import __main__

    __main__.len = __main__.memoryview = __main__.range = 3
    try:
        with open("names.txt", "w") as file:
            file.write("abc")
        with open("names.txt") as file:
            text = file.read()
        os.remove("names.txt")
    finally:
        del __main__.len, __main__.memoryview, __main__.range
    assert text == "abc"


def test_a_file_that_nobody_closes():
    """The garbage collector does."""
    names = [f"unclosed{i}.txt" for i in range(4)]
    for name in names:
        open(name, "w").write("x" * 100)
        gc.collect()
    for name in names[:-1]:  # something of the last one may be left on the stack
        with open(name) as file:
            assert file.read() == "x" * 100, name
    for name in names:
        os.remove(name)


def test_modules_are_imported_from_lib():
    """Where `mpremote mip install` puts them."""
    assert "/lib" in sys.path, sys.path
    new = "lib" not in os.listdir("/")
    if new:
        os.mkdir("/lib")
    with open("/lib/modthread_in_lib.py", "w") as file:
        file.write("answer = 42\n")
    try:
        import modthread_in_lib

        assert modthread_in_lib.answer == 42
    finally:
        os.remove("/lib/modthread_in_lib.py")
        if new:
            os.rmdir("/lib")
