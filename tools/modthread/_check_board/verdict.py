"""The verdict on a board, as Markdown for an issue, and as an exit status."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from modthread.errors import ModthreadError

NOT_RUN = "not run"
SLOWER, FASTER = 3.0, 1 / 3  # a time that is further from the emulator's is a difference
EXIT_FAILED = 1
EXIT_INCOMPLETE = 3


@dataclass(frozen=True)
class Judged:
    """How a test ended: ``passed``, ``failed``, ``skipped`` or ``not run``, and why, in a line."""

    name: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Reference:
    """The results of the emulated board: outcomes by test, and times in microseconds by name."""

    firmware: str
    tests: dict[str, str]
    timings: dict[str, float]

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return what `path` has, None where there is no such file; raises ModthreadError."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError) as error:
            raise ModthreadError(
                f"{path}: {error}; write it again with --reference, or delete it"
            ) from None

    def write(self, path: Path) -> None:
        """Keep it in `path`."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


@dataclass
class Verdict:
    """What has been seen so far; each step of the check adds to it.

    `facts` are what the board, the image and the host are; `reached` are the steps that have come
    to their end, `ended` why no more have; None once all have.
    """

    board: str
    reference: Reference | None
    facts: dict[str, str] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    tests: list[Judged] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    ended: str | None = "the check goes on, or was killed"

    @property
    def word(self) -> str:
        """The verdict in a word."""
        if self.ended is not None:
            return "incomplete"
        return "failed" if self._are("failed") or self._are(NOT_RUN) else "passed"

    @property
    def status(self) -> int:
        """The verdict as an exit status."""
        return {"passed": 0, "failed": EXIT_FAILED, "incomplete": EXIT_INCOMPLETE}[self.word]

    def differences(self) -> list[str]:
        """Return what the emulated board does otherwise, a line each."""
        if self.reference is None:
            return []
        tests = [
            f"`{test.name}`: {test.outcome}, there {there}"
            for test in self.tests
            if (there := self.reference.tests.get(test.name)) not in (None, test.outcome)
        ]
        timings = [
            f"{name}: {ratio:.2g} times what it takes there"
            for name, us in self.timings.items()
            if (ratio := self._ratio(name, us)) and not FASTER < ratio < SLOWER
        ]
        return tests + timings

    def not_in_reference(self) -> str:
        """Return, as a line, how many tests and times the emulated board has not; "" if none."""
        if self.reference is None:
            return ""
        tests = sum(test.name not in self.reference.tests for test in self.tests)
        times = sum(name not in self.reference.timings for name in self.timings)
        missing = [f"{tests} tests"] * bool(tests) + [f"{times} times"] * bool(times)
        return f"not compared, as the reference lacks them: {', '.join(missing)}" * bool(missing)

    def markdown(self) -> str:
        """Return all of it."""
        parts = [
            f"### modthread on {self.board}: {self.word}",
            _table(("what", "seen"), [*self.facts.items(), ("reached", self._how_far())]),
            *self._tests(),
            *self._differences(),
            *self._timings(),
        ]
        return "\n\n".join(parts) + "\n"

    def _are(self, outcome: str) -> list[Judged]:
        return [test for test in self.tests if test.outcome == outcome]

    def _ratio(self, name: str, us: float) -> float | None:
        there = self.reference.timings.get(name) if self.reference else None
        return us / there if there else None

    def _how_far(self) -> str:
        steps = ", ".join(self.reached) or "nothing"
        return f"{steps}; then: {self.ended}" if self.ended is not None else steps

    def _tests(self) -> list[str]:
        if not self.tests:
            return []
        counts = Counter(test.outcome for test in self.tests)
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        lines = [
            f"- {test.outcome}: `{test.name}`{f' ({test.reason})' if test.reason else ''}"
            for test in self.tests
            if test.outcome != "passed"
        ]
        return [f"**Tests**: {summary}", *(["\n".join(lines)] if lines else [])]

    def _differences(self) -> list[str]:
        if self.reference is None:
            return ["**Differs from the emulator**: not known, this board has no reference"]
        lines = [f"- {line}" for line in self.differences()]
        title = f"**Differs from the emulator** ({self.reference.firmware})"
        parts = [f"{title}:", "\n".join(lines)] if lines else [f"{title}: in nothing that was seen"]
        return [*parts, *filter(None, [self.not_in_reference()])]

    def _timings(self) -> list[str]:
        rows = []
        for name, us in self.timings.items():
            there = self.reference.timings.get(name) if self.reference else None
            ratio = self._ratio(name, us)
            rows.append((name, _us(us), _us(there), "-" if ratio is None else f"{ratio:.2f}"))
        return [_table(("time", "us", "emulator's us", "ratio"), rows)] if rows else []


def _us(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
