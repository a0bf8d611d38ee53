"""The figures by name, kept as JSON, and compared with an earlier measurement."""

import json
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from statistics import median

from modthread.errors import ModthreadError

REGRESSION = 0.03  # a figure that is worse by more than this fails the comparison
LATENESS_US = 100  # "us" may be worse by as much: how the turns of threads fall
MORE_IS_BETTER = {"calls", "%"}  # units


@dataclass(frozen=True)
class Row:
    """One figure, in `unit`: the result of each run.

    `threads` is with our threads, `without` without any, `upstream` with MicroPython's own, and
    `floor` with the kernel's primitives alone; None where it was not measured.
    """

    unit: str
    threads: list[float]
    without: list[float] | None = None
    upstream: list[float] | None = None
    floor: list[float] | None = None

    @property
    def value(self) -> float:
        """The median with threads."""
        return median(self.threads)

    @property
    def value_without(self) -> float | None:
        """The median without threads."""
        return None if self.without is None else median(self.without)

    @property
    def value_upstream(self) -> float | None:
        """The median with MicroPython's own threads."""
        return None if self.upstream is None else median(self.upstream)

    @property
    def value_floor(self) -> float | None:
        """The median of the kernel's primitives."""
        return None if self.floor is None else median(self.floor)

    @property
    def ratio_upstream(self) -> float | None:
        """With MicroPython's own threads to without."""
        upstream, without = self.value_upstream, self.value_without
        return upstream / without if upstream and without else None

    @property
    def gain(self) -> float | None:
        """How many times better than with MicroPython's own threads; None where that is zero."""
        ours, upstream = self.value, self.value_upstream
        if not ours or not upstream:
            return None
        return ours / upstream if self.unit in MORE_IS_BETTER else upstream / ours

    @property
    def spread(self) -> float:
        """From the least to the most with threads, as a part of the median."""
        return (max(self.threads) - min(self.threads)) / self.value if self.value else 0.0

    @property
    def ratio(self) -> float | None:
        """With threads to without."""
        return None if self.without is None else self.value / median(self.without)


@dataclass(frozen=True)
class Results:
    """All rows by name, the board and the version that were measured."""

    board: str
    version: str
    rows: dict[str, Row]

    def save(self, path: Path) -> None:
        """Write everything to `path` as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Read what save() wrote; raises ModthreadError where `path` is no such file."""
        try:
            table = json.loads(path.read_text())
            rows = {name: Row(**row) for name, row in table.pop("rows").items()}
            if not all(row.value >= 0 for row in rows.values()):
                raise ValueError
            return cls(rows=rows, **table)
        except OSError as error:
            raise ModthreadError(
                f"{path}: {error.strerror}; name one of an earlier `make bench`"
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ModthreadError(f"{path} is not a bench.json; `make bench` writes one") from None


@dataclass(frozen=True)
class Change:
    """A row that differs from the baseline's; None where there is no such row."""

    name: str
    before: Row | None
    now: Row | None

    @property
    def growth(self) -> float | None:
        """The growth as a part of what was before."""
        if self.before is None or self.now is None:
            return None
        if self.before.value == 0:
            return inf
        return self.now.value / self.before.value - 1

    @property
    def is_regression(self) -> bool:
        """Whether the row is not measured any more, or is worse than before by the tolerance.

        Before is the worst of its runs: some figures depend on how the heap happens to be filled.
        """
        if self.now is None:
            return True
        if self.growth is None or self.before is None:
            return False
        if self.now.unit == "us":
            return self.now.value > self.before.value + LATENESS_US
        if self.now.unit in MORE_IS_BETTER:
            return self.now.value < min(self.before.threads) * (1 - REGRESSION)
        return self.now.value > max(self.before.threads) * (1 + REGRESSION)


def changes(baseline: Results, now: Results) -> list[Change]:
    """Return the rows that differ; raises ModthreadError where the two cannot be compared."""
    if baseline.board != now.board:
        raise ModthreadError(f"the baseline is of {baseline.board}; name one of {now.board}")
    names = dict.fromkeys([*now.rows, *baseline.rows])
    pairs = [Change(name, baseline.rows.get(name), now.rows.get(name)) for name in names]
    return [change for change in pairs if change.growth != 0]
