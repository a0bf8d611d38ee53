"""Modules are imported by one thread at a time, each; the others wait, and never see one half made."""

import _thread
import os
import sys
import time

BODY = """
import time
FIRST = 1
time.sleep_ms(30)
def late():
    return FIRST
"""


def wait_until(condition, ms=30000):
    start = time.ticks_ms()
    while not condition():
        assert time.ticks_diff(time.ticks_ms(), start) < ms, "it takes too long"
        time.sleep_ms(5)


class Modules:
    """Writes modules into files; they are gone afterwards."""

    def __init__(self, **bodies):
        self.bodies = bodies

    def __enter__(self):
        sys.path.insert(0, "")
        for name, body in self.bodies.items():
            with open(name + ".py", "w") as file:
                file.write(body)

    def __exit__(self, *_):
        sys.path.pop(0)
        for name in self.bodies:
            os.remove(name + ".py")
            sys.modules.pop(name, None)


def import_in_threads(*names):
    """Imports each name in a thread of its own; returns what late() of each module gives, or what was raised."""
    results = {}

    def work(number, name):
        try:
            results[number] = __import__(name).late()
        except BaseException as error:
            results[number] = error

    _thread.stack_size(16384)
    for number, name in enumerate(names):
        _thread.start_new_thread(work, (number, name))
    wait_until(lambda: len(results) == len(names))
    return [results[number] for number in range(len(names))]


def test_one_module_at_once():
    with Modules(slow=BODY):
        assert import_in_threads("slow", "slow", "slow") == [1, 1, 1]


def test_failure_is_the_next_ones_turn():
    """As in CPython, a waiting thread imports the module itself."""
    body = BODY + "import counter\ncounter.turns.append(1)\nFIRST = 3 // (len(counter.turns) - 1)\n"
    with Modules(failing=body, counter="turns = []\n"):
        results = import_in_threads("failing", "failing", "failing")
    assert [type(result) for result in results].count(ZeroDivisionError) == 1, results
    assert results.count(3) == 2, results


def test_two_modules_that_import_each_other():
    """No deadlock: one of them gets the other half made, as within one thread."""
    body = "import time\nFIRST = 1\ntime.sleep_ms(20)\nimport {}\ndef late():\n    return FIRST\n"
    with Modules(one=body.format("two"), two=body.format("one")):
        assert import_in_threads("one", "two") == [1, 1]


def test_recursion_and_other_modules():
    """A module imports itself, and another thread imports something else meanwhile."""
    with Modules(slow=BODY + "import slow\n", quick="def late():\n    return 2\n"):
        start = time.ticks_ms()
        assert import_in_threads("slow", "quick") == [1, 2]
    assert time.ticks_diff(time.ticks_ms(), start) < 5000
