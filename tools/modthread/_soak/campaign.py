"""What a campaign has counted so far, in a file that outlives every interruption."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from modthread._soak.workloads import Workload
from modthread.errors import ModthreadError


@dataclass
class Tally:
    """What one workload has come to: batches run, units counted, seconds of the host spent."""

    batches: int = 0
    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """A batch that went wrong: what was seen in a line, all of it, and where the traffic is."""

    workload: str
    batch: int
    message: str
    details: str
    log: str


@dataclass
class Campaign:
    """All that was counted on `board` from one `seed`; `firmware` is each that was tested.

    `share` is how much of the usual goals it is to reach, and of the usual size its batches have.
    """

    board: str
    seed: int
    share: float = 1.0
    tallies: dict[str, Tally] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    firmware: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return what `path` has, None where there is no such file; raises ModthreadError."""
        try:
            return cls._parsed(json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError) as error:
            raise ModthreadError(f"{path}: {error}; delete it to start afresh") from None

    @classmethod
    def _parsed(cls, table: dict[str, Any]) -> Self:
        tallies = {name: Tally(**tally) for name, tally in table.pop("tallies").items()}
        failures = [Failure(**failure) for failure in table.pop("failures")]
        return cls(**table, tallies=tallies, failures=failures)

    def save(self, path: Path) -> None:
        """Keep it in `path`, which has the old or the new state whenever this is killed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(path)

    def tally(self, workload: str) -> Tally:
        """Return what this workload has come to; it can be changed."""
        return self.tallies.setdefault(workload, Tally())

    def goal(self, workload: Workload) -> int:
        """Return how many units of a workload are to be reached."""
        return round(workload.goal * self.share)

    def is_ahead(self, workload: Workload) -> bool:
        """Return whether the goal has not been reached yet."""
        return self.tally(workload.name).count < self.goal(workload)

    def failed(self, workload: str) -> int:
        """Return how many batches of this workload went wrong."""
        return sum(failure.workload == workload for failure in self.failures)
