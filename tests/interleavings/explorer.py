"""Builds the explorer, runs it on scenarios, and says what it has found.

python tests/interleavings/explorer.py SCENARIO [--cores 1] [--bound 2] [--replay SCHEDULE]
"""

import argparse
import fcntl
import os
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from modthread._base import project, sources

HERE = Path(__file__).parent
SCENARIOS = sorted((HERE / "scenarios").glob("*.py"))
MODULE = project.ROOT / "modthread"
OBSERVED = ("gil", "lock")  # a file of ours includes them, to look at what is static
PLACE = re.compile(r"0x[0-9a-f]+$")


CORES = (1, 2)

# How many preemptions and interrupts are explored: in the daily tests, and by `make proof`.
DAILY, FULL = {1: 2, 2: 1}, {1: 3, 2: 3}
# The same for what costs more; None: not at all.
COSTLY: dict[str, dict[int, tuple[int | None, int]]] = {
    "soft_reset_and_a_lost_line": {1: (1, 1), 2: (None, 0)},
    "soft_reset_beside_one_that_computes": {1: (0, 0), 2: (0, 0)},
    "soft_reset_beside_one_that_stays": {1: (0, 1), 2: (None, 0)},
    "soft_reset_with_threads_in_each_state": {1: (1, 3), 2: (1, 2)},
    "sleep_of_microseconds": {1: (1, 2), 2: (1, 1)},
}


class ExplorerError(Exception):
    """The explorer could not be built, or has not done its work."""


@dataclass
class Result:
    """What came of a search: its figures, and the schedule that fails."""

    figures: dict[str, str]
    failure: str = ""
    replay: str = ""
    steps: list[str] = field(default_factory=list)
    complete: bool = True

    @property
    def bound(self) -> int:
        """The largest number of preemptions and interrupts of which all were explored."""
        return int(self.figures.get("bound", -1))

    def report(self) -> str:
        """The failing schedule, a line for each step."""
        steps = [f"{number:3}  {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([self.failure, *steps, f"replay: {self.replay}"])


def _folder(cores: int, *, sanitize: bool) -> Path:
    return project.BUILD / f"interleavings-{cores}{'-sanitize' if sanitize else ''}"


def _make(cores: int, *arguments: str, sanitize: bool = False) -> str:
    folder = _folder(cores, sanitize=sanitize)
    project.BUILD.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of tests that run side by side
        return _make_alone(folder, f"CORES={cores}", f"SANITIZE={int(sanitize)}", *arguments)


def _make_alone(folder: Path, *arguments: str) -> str:
    # A relative path, since ccache makes those in the files of dependencies so.
    build = os.path.relpath(folder, HERE)
    command = ["make", "-s", "-C", str(HERE), f"-j{os.cpu_count()}", f"BUILD={build}"]
    command += [f"MICROPY_DIR={os.path.relpath(sources.micropython(), HERE)}"]
    result = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ExplorerError(f"the explorer could not be built:\n{result.stderr[-3000:]}")
    return result.stdout


def build(cores: int, *, sanitize: bool = False) -> Path:
    """Build the explorer for a model of that many cores; returns the program."""
    _make(cores, sanitize=sanitize)
    return _folder(cores, sanitize=sanitize) / "explorer"


@cache
def _commands(cores: int, sanitize: bool) -> tuple[list[str], list[str]]:
    """How one of modthread's files is compiled, and how the explorer is linked."""
    lines = [
        line
        for line in _make(cores, "commands", sanitize=sanitize).splitlines()
        if line.startswith("gcc ")
    ]
    return shlex.split(lines[0]), shlex.split(lines[1])


def build_other(cores: int, folder: Path, name: str, *, sanitize: bool = False) -> Path:
    """The same with another version of modthread/NAME, in that folder beside all others."""
    compile_it, link_it = _commands(cores, sanitize)
    stem = Path(name).stem
    source = HERE / f"observe_{stem}.c" if stem in OBSERVED else folder / f"modthread/{name}"
    part = folder / f"{stem}-{cores}.o"
    program = folder / f"explorer-{cores}"
    others = [word for word in link_it[1:] if not word.endswith(f"/{stem}.o")]
    for command in (
        [compile_it[0], f"-I{folder}", *compile_it[1:], "-o", str(part), str(source)],
        [link_it[0], "-o", str(program), str(part), *others],
    ):
        result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise ExplorerError(f"the explorer could not be built:\n{result.stderr[-3000:]}")
    return program


def _places(program: Path, addresses: list[str]) -> dict[str, str]:
    """The source line that each address in the program stands for."""
    known = sorted(set(addresses))
    # An address is where a call returns to: the call is before it.
    before = [hex(int(address, 16) - 1) for address in known]
    command = ["addr2line", "-s", "-f", "-e", str(program), *before]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    places = {}
    for address, function, place in zip(known, lines[::2], lines[1::2], strict=False):
        file, _, number = place.split(" ")[0].partition(":")
        source = MODULE / file
        text = ""
        if source.is_file() and number.isdecimal():
            text = source.read_text().splitlines()[int(number) - 1].strip()
        places[address] = f"in {function}(), {file}:{number}" + (f": {text}" if text else "")
    return places


def explore(
    program: Path, scenario: Path, bound: int, *, seconds: float = 0, replay: str = ""
) -> Result:
    """Explore a scenario, or replay a schedule.

    Makes all runs of at most ``bound`` preemptions and interrupts, unless ``seconds`` (0: no
    limit) are over before.
    """
    command = [str(program), str(scenario), str(bound), str(seconds), *([replay] if replay else [])]
    process = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    if process.returncode not in (0, 1, 3):
        raise ExplorerError(f"{' '.join(command)}: {process.stderr or process.returncode}")
    fields: dict[str, str] = {}
    steps: list[list[str]] = []
    for line in process.stdout.splitlines():
        key, bar, value = line.partition("|")
        if key == "step":
            steps.append(value.split("|"))
        elif bar:
            fields[key] = value
    result = Result(fields, complete=process.returncode == 0)
    if process.returncode == 1:
        result.failure = f"{fields['failure']} {fields.get('output', '')}".strip()
        result.replay = fields["replay"]
        places = _places(program, [step[3] for step in steps if PLACE.match(step[3])])
        result.steps = [
            f"core {core}  {task:6} {what} {places.get(where, '')}".rstrip()
            for core, task, what, where in steps
        ]
    return result


def bound_of(name: str, cores: int, *, full: bool) -> int | None:
    """How far a scenario is explored; None: not at all."""
    if name in COSTLY:
        return COSTLY[name][cores][full]
    return (FULL if full else DAILY)[cores]


def prove(seconds: float, *, sanitize: bool = False) -> int:
    """Explore all scenarios to their full bounds, and print what was explored.

    A scenario that takes more than ``seconds`` counts with the bound that it has reached.
    """
    programs = {cores: build(cores, sanitize=sanitize) for cores in CORES}

    def explore_one(job: tuple[Path, int]) -> tuple[Path, int, Result]:
        scenario, cores = job
        bound = bound_of(scenario.stem, cores, full=True)
        assert bound is not None
        return scenario, cores, explore(programs[cores], scenario, bound, seconds=seconds)

    failed = 0
    total: Counter[str] = Counter()
    bounds: Counter[tuple[int, int]] = Counter()
    print(f"{'scenario':44} cores bound schedules    states        points  seconds")
    started = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for scenario, cores, result in pool.map(
            explore_one, [(scenario, cores) for scenario in SCENARIOS for cores in CORES]
        ):
            runs, states, points = (
                int(result.figures[key]) for key in ("runs", "states", "points")
            )
            total.update(runs=runs, states=states, points=points)
            bounds[cores, result.bound] += 1
            print(
                f"{scenario.stem:44} {cores:5} {result.bound:5} {runs:9} {states:9} {points:13}"
                f" {result.figures['seconds']:>8}{'' if result.complete else '  stopped'}",
                flush=True,
            )
            if result.failure:
                failed += 1
                print(result.report())
    for cores in CORES:
        reached = ", ".join(
            f"{bounds[cores, bound]} to bound {bound}"
            for bound in range(9, -2, -1)
            if bounds[cores, bound]
        )
        print(f"{len(SCENARIOS)} scenarios on {cores} core{'s' if cores > 1 else ''}: {reached}")
    print(
        f"{total['runs']:,} schedules, {total['states']:,} states, {total['points']:,} points"
        f" in {(time.monotonic() - started) / 60:.0f} minutes; {failed} fail"
    )
    return failed != 0


def main() -> int:
    """Explore one scenario, or all."""
    parser = argparse.ArgumentParser(description="explore the interleavings of scenarios")
    parser.add_argument("scenario", type=Path, nargs="?", help="(default: all, to full bounds)")
    parser.add_argument("--cores", type=int, choices=CORES, default=1)
    parser.add_argument("--bound", type=int, default=2, help="preemptions and interrupts")
    parser.add_argument("--replay", default="", help="a schedule that was printed")
    parser.add_argument("--seconds", type=float, default=0, help="for a scenario (0: no limit)")
    parser.add_argument("--sanitize", action="store_true", help="with AddressSanitizer")
    arguments = parser.parse_args()
    if arguments.scenario is None:
        return prove(arguments.seconds, sanitize=arguments.sanitize)
    program = build(arguments.cores, sanitize=arguments.sanitize)
    result = explore(
        program,
        arguments.scenario,
        arguments.bound,
        seconds=arguments.seconds,
        replay=arguments.replay,
    )
    print(" ".join(f"{key} {value}" for key, value in result.figures.items() if value))
    if result.failure:
        print(result.report())
        command = f"gdb --args {program} {arguments.scenario} {arguments.bound} 0 {result.replay}"
        print(f"to follow it: {command}")
    return result.failure != ""


if __name__ == "__main__":
    sys.exit(main())
