"""Random programs of threads and locks whose output is known beforehand.

They run in CPython as well: whatever its `_thread` makes of them must be the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

EXCEPTIONS = ("ValueError", "KeyError", "OSError", "ZeroDivisionError", "RuntimeError")
THREADS_MAX = 4
DEPTH_MAX = 2  # threads that start threads, within 4 KiB of stack each
STATEMENTS_MAX = 6
INDENT = "    "

# A thread says its words into a list of its own, which is printed once it is done.
START = """\
import _thread, time
shared, total = _thread.allocate_lock(), [0]
def start(function, *args):
    said, done = [], _thread.allocate_lock()
    done.acquire()
    _thread.start_new_thread(function, (said, done) + args)
    return said, done
"""


@dataclass(frozen=True)
class Program:
    """A program, and what it prints."""

    source: str
    output: str


@dataclass
class _Function:
    """A function of a thread while it is written: its lines, and what they will have said."""

    name: str
    lines: list[str] = field(default_factory=list)
    said: list[object] = field(default_factory=list)
    x: int = 0  # the value of its variable

    def write(self, text: str, indent: int = 2) -> None:
        self.lines += [INDENT * indent + line for line in text.split("\n")]


def program(random: Random) -> Program:
    """Return a program of up to four threads and those that they start."""
    return _Writer(random).program()


class _Writer:
    """Writes statements, and does at the same time what they will do."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._functions: list[_Function] = []
        self._total = 0

    def program(self) -> Program:
        threads = [self._thread(depth=0) for _ in range(self._random.randint(1, THREADS_MAX))]
        lines = [START.rstrip()]
        for function in self._functions:
            lines += [f"def {function.name}(said, done, gate=None):", f"{INDENT}try:"]
            lines += [*function.lines, f"{INDENT}finally:", f"{INDENT * 2}done.release()"]
        output: list[str] = []
        pairs = [self._pair(number) for number in range(self._random.randint(0, 1))]
        for source, words in pairs:
            lines += source
            output += words
        lines += self._main(threads)
        for function in threads:
            output += [f"{function.name} {word}" for word in function.said]
        output.append(f"total {self._total} False")
        return Program("\n".join(lines) + "\n", "".join(line + "\n" for line in output))

    def _main(self, threads: list[_Function]) -> list[str]:
        """Start the threads, open their gates in any order, and print what each has said."""
        lines = [f"gates = [_thread.allocate_lock() for _ in range({len(threads)})]"]
        lines += ["for gate in gates: gate.acquire()", "started = []"]
        for number, function in enumerate(threads):
            lines.append(f"started.append(start({function.name}, gates[{number}]))")
            lines += self._pause()
        for number in self._random.sample(range(len(threads)), len(threads)):
            lines.append(f"gates[{number}].release()")
            lines += self._pause()
        lines += [
            f"for name, (said, done) in zip({[function.name for function in threads]}, started):",
            f"{INDENT}done.acquire()",
            f"{INDENT}for word in said: print(name, word)",
            "print('total', total[0], shared.locked())",
        ]
        return lines

    def _pause(self) -> list[str]:
        return self._random.choice([[], [], ["time.sleep(0.001)"], ["for _ in range(50): pass"]])

    def _thread(self, depth: int) -> _Function:
        """Write the function of a thread, behind those that it starts."""
        function = _Function(f"t{len(self._functions)}_{depth}")
        # A name is taken before others are written; the function itself stands after them.
        self._functions.append(function)
        function.x = self._random.randint(0, 99)
        function.write(f"x = {function.x}")
        if depth == 0:
            function.write("gate.acquire()")
        for _ in range(self._random.randint(1, STATEMENTS_MAX)):
            kinds: list[Callable[[_Function, int], None]] = [
                self._say,
                self._loop,
                self._exception,
                self._own_lock,
                self._timeout,
                self._count,
                self._sleep,
            ]
            if depth < DEPTH_MAX:
                kinds.append(self._start)
            self._random.choice(kinds)(function, depth)
        if self._random.random() < 0.3:
            function.write(self._random.choice(["_thread.exit()", "raise SystemExit"]))
            function.write("said.append('never')")
        return function

    def _say(self, function: _Function, _: int) -> None:
        factor, summand = self._random.randint(2, 9), self._random.randint(0, 99)
        function.write(f"x = (x * {factor} + {summand}) % 9973\nsaid.append(x)")
        function.x = (function.x * factor + summand) % 9973
        function.said.append(function.x)

    def _loop(self, function: _Function, _: int) -> None:
        times, summand = self._random.randint(1, 20), self._random.randint(1, 9)
        pause = self._random.choice(["", "; time.sleep(0)"])
        function.write(f"for i in range({times}): x += i * {summand}{pause}\nsaid.append(x)")
        function.x += summand * times * (times - 1) // 2
        function.said.append(function.x)

    def _exception(self, function: _Function, _: int) -> None:
        """Raise in a `with`, pass a `finally`, and be caught or not where it is looked for."""
        raised, expected = self._random.choice(EXCEPTIONS), self._random.choice(EXCEPTIONS)
        lock = "shared" if self._random.random() < 0.5 else "_thread.allocate_lock()"
        function.write(
            f"try:\n    try:\n        with {lock}:\n            x += 1\n"
            f"            raise {raised}({function.x % 7})\n    finally:\n        x += 1\n"
            f"except {expected} as e: said.append(('caught', e.args[0]))\n"
            "except Exception as e: said.append(('passed', type(e).__name__))"
        )
        caught = raised == expected
        function.said.append(("caught", function.x % 7) if caught else ("passed", raised))
        function.x += 2

    def _own_lock(self, function: _Function, _: int) -> None:
        """Take and give back a lock that no other thread knows, in any order."""
        function.write("lock = _thread.allocate_lock()")
        locked = False
        for _ in range(self._random.randint(1, 5)):
            if self._random.random() < 0.5:
                function.write("said.append(lock.acquire(False))")
                function.said.append(not locked)
                locked = True
            else:
                function.write(
                    "try: lock.release()\nexcept RuntimeError: said.append('not locked')"
                )
                if not locked:
                    function.said.append("not locked")
                locked = False
        function.write("said.append(lock.locked())")
        function.said.append(locked)

    def _timeout(self, function: _Function, _: int) -> None:
        ms = self._random.randint(1, 5)
        function.write(
            "lock = _thread.allocate_lock()\nlock.acquire()\n"
            f"said.append(lock.acquire(True, 0.00{ms}))"
        )
        function.said.append(False)

    def _count(self, function: _Function, _: int) -> None:
        """Count together with the other threads, between reading and writing a pause or none."""
        number = self._random.randint(1, 99)
        pause = self._random.choice(["pass", "time.sleep(0)", "time.sleep(0.001)"])
        function.write(
            f"with shared:\n    before = total[0]\n    {pause}\n    total[0] = before + {number}"
        )
        self._total += number

    def _sleep(self, function: _Function, _: int) -> None:
        function.write(f"time.sleep(0.00{self._random.randint(0, 4)})")

    def _start(self, function: _Function, depth: int) -> None:
        """Start a thread, and say what it has said once it is done."""
        other = self._thread(depth + 1)
        function.write(f"words, other = start({other.name})")
        if self._random.random() < 0.5:
            self._say(function, depth)
        function.write("other.acquire()\nsaid.append(words)")
        function.said.append(list(other.said))

    def _pair(self, number: int) -> tuple[list[str], list[str]]:
        """Let two threads take turns by two locks that each releases for the other."""
        turns = self._random.randint(1, 10)
        name = f"pair{number}"
        lines = [
            f"{name}, a, b = [], _thread.allocate_lock(), _thread.allocate_lock()",
            "b.acquire()",
            f"def play(said, done, own, other, word, words={name}):",
            f"{INDENT}for i in range({turns}):",
            f"{INDENT * 2}own.acquire()",
            f"{INDENT * 2}words.append(word)",
            f"{INDENT * 2}other.release()",
            f"{INDENT}done.release()",
            "first, second = start(play, a, b, 'ping'), start(play, b, a, 'pong')",
            "first[1].acquire(), second[1].acquire()",
            f"print({name})",
        ]
        return lines, [str(["ping", "pong"] * turns)]
