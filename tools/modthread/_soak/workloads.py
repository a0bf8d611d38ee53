"""What a campaign does on the board: workloads, each in batches that a seed repeats."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from modthread._base import project
from modthread._link.session import BoardError
from modthread._reports import tracebacks
from modthread._soak.programs import program
from modthread.device import Device
from modthread.errors import ModthreadError

SCRIPTS = project.ROOT / "tests/soak"
LIMIT = 300.0  # seconds that one script may take, before the board's time scale
FREE_LOST = 1024  # bytes that a conservative collection may keep for a while

Run = Callable[[Device, Random, int], int]


class WrongError(ModthreadError):
    """The board did what it must not do; `details` is all that it said."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Workload:
    """One kind of work: a batch of it is about `size` units, `goal` what a campaign is to reach.

    `run` does a batch on a clean board and returns how many units it was; raises WrongError, and
    what Device raises.
    """

    name: str
    unit: str
    goal: int
    size: int
    run: Run


def _script(name: str, device: Device, random: Random, size: int) -> int:
    """Run a script of ours, whose last line is how many units it has done."""
    output = _output(device, _given(name, SEED=_seed(random), SIZE=size))
    last = output.rstrip("\n").rpartition("\n")[2]
    if not last.isdecimal():
        raise WrongError("the script has not come to its end", output)
    return int(last)


def _soft_resets(device: Device, random: Random, size: int) -> int:
    """Start threads of all kinds, and let a soft reset end them, time after time."""
    free = None
    for number in range(size):
        output = _output(device, _given("kinds", SEED=_seed(random)))
        now, threads = ast.literal_eval(output.partition("\n")[0])
        free = free or now
        if threads != 1:
            raise WrongError(f"{threads} threads after soft reset {number}")
        if now < free - FREE_LOST:
            raise WrongError(f"{free - now} bytes lost after soft reset {number}")
        reset(device)
    return size


def _programs(device: Device, random: Random, size: int) -> int:
    """Run programs, and compare what they print with what is known."""
    for _ in range(size):
        one = program(random)
        output = _output(device, one.source)
        if output != one.output:
            details = f"{one.source}\nexpected:\n{one.output}\nprinted:\n{output}"
            raise WrongError("a program printed something else", details)
    return size


WORKLOADS = {
    one.name: one
    for one in (
        Workload("locks", "lock operations", 10_000_000, 50_000, partial(_script, "locks")),
        Workload("resets", "soft resets", 10_000, 20, _soft_resets),
        Workload("calls", "calls", 1_000_000, 5_000, partial(_script, "calls")),
        Workload("memory", "seconds of the board", 86_400, 300, partial(_script, "memory")),
        Workload("programs", "programs", 20_000, 20, _programs),
    )
}


def reset(device: Device) -> None:
    """Make the board clean for the next batch; raises WrongError where that takes force."""
    if not device.clean_up():
        raise WrongError(f"a soft reset did not do: {device.why_not_soft}")


def _given(name: str, **values: int) -> str:
    """Return a script with its values, its lines numbered as in the file."""
    given = "".join(f"{key} = {value}; " for key, value in values.items())
    return given + (SCRIPTS / f"{name}.py").read_text()


def _seed(random: Random) -> int:
    """Return a number of constant length, so that all scripts take the same memory."""
    return random.randint(10_000_000, 99_999_999)


def _output(device: Device, source: str) -> str:
    """Run a script and return what it printed; raises WrongError where it raised something."""
    try:
        result = device.run(source, LIMIT * device.board.time_scale)
    except BoardError as error:
        details = device.crash_report(error.output) or tracebacks.text(error.output)
        raise WrongError(str(error), details) from None
    if result.error:
        details = tracebacks.text(result.output) + tracebacks.text(result.error)
        raise WrongError(tracebacks.last_line(result.error), details)
    return tracebacks.text(result.output)
