"""The command `soak`: batches of all workloads in turn, until the time is over."""

import random
import shlex
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from modthread._base import project
from modthread._boards.boards import Board
from modthread._commands import run
from modthread._reports import tracebacks
from modthread._soak.campaign import Campaign, Failure
from modthread._soak.page import write_page
from modthread._soak.workloads import WORKLOADS, Workload, WrongError, reset
from modthread.device import DeadBoardError, Device

EXIT_FAILED = 1
EXIT_DEAD = 3
PROGRESS = 60.0  # seconds from one line of progress to the next
SEEDS = 1_000_000_000
SLOW_SHARE = 0.1  # of the goals, where an emulator is slower than its board
DETAILS_KEPT = 20_000  # characters of what a board said when it failed


def campaign_file(board: str) -> Path:
    """Return where the campaign of a board is kept."""
    return project.BUILD / "soak" / board / "campaign.json"


def found(board: Board, emulated: bool, seed: int | None) -> Campaign:
    """Return the campaign of `board` that was begun, or a new one where a `seed` is given.

    Raises ModthreadError for a file that is none.
    """
    if seed is None and (begun := Campaign.load(campaign_file(board.name))):
        return begun
    share = SLOW_SHARE if emulated and board.time_scale > 1 else 1.0
    return Campaign(board.name, random.randrange(SEEDS) if seed is None else seed, share)


@dataclass
class Soak:
    """A campaign on a board that has been started, with the workloads that are named."""

    device: Device
    campaign: Campaign
    names: Sequence[str] = tuple(WORKLOADS)
    started: float = field(default_factory=time.monotonic)

    def run(self, seconds: float) -> int:
        """Run batches for so long; return the exit status. Each batch that ends is kept at once.

        Ctrl-C and SIGTERM end it: the batch that runs then is not counted, and comes again when
        the campaign goes on.
        """
        firmware = self.device.info()
        if firmware not in self.campaign.firmware:
            self.campaign.firmware.append(firmware)
        failed = len(self.campaign.failures)
        print(f"{firmware}\n{self._begin()}", flush=True)
        ended = threading.Event()
        threading.Thread(target=self._show_progress, args=(ended,), daemon=True).start()
        try:
            self.device.clean_up()
            while time.monotonic() - self.started < seconds:
                self._batch(self._next())
        except KeyboardInterrupt:
            return run.EXIT_INTERRUPTED
        except DeadBoardError as error:
            run.print_error(str(error))
            return EXIT_DEAD
        finally:
            ended.set()
            self._report()
        return EXIT_FAILED if len(self.campaign.failures) > failed else 0

    def repeat(self, name: str, number: int) -> int:
        """Run one batch again, count nothing, say what came of it; return the exit status."""
        self.device.clean_up()
        try:
            count = self._run(WORKLOADS[name], number)
        except WrongError as error:
            print(f"{error.details}\n{error}".strip())
            return EXIT_FAILED
        print(f"{count} {WORKLOADS[name].unit}: nothing failed")
        return 0

    def _begin(self) -> str:
        batches = sum(tally.batches for tally in self.campaign.tallies.values())
        goes_on = f", goes on after {batches} batches" if batches else ""
        return f"seed {self.campaign.seed}{goes_on}"

    def _next(self) -> Workload:
        """Return the workload that has had the least time, of those that have their goal ahead."""
        chosen = [WORKLOADS[name] for name in self.names]
        ahead = [one for one in chosen if self.campaign.is_ahead(one)]
        return min(ahead or chosen, key=lambda one: self.campaign.tally(one.name).seconds)

    def _run(self, workload: Workload, number: int) -> int:
        """Run one batch on a clean board, and leave it clean; raises WrongError."""
        chance = random.Random(f"{self.campaign.seed} {workload.name} {number}")
        size = max(1, round(workload.size * self.campaign.share))
        self.device.log_to(f"soak_{self.campaign.board}_{workload.name}_{number % 4}")
        count = workload.run(self.device, chance, size)
        reset(self.device)
        return count

    def _batch(self, workload: Workload) -> None:
        """Run the next batch of a workload, and keep what came of it."""
        tally = self.campaign.tally(workload.name)
        started = time.monotonic()
        try:
            tally.count += self._run(workload, tally.batches)
        except WrongError as error:
            self._note(workload, tally.batches, error)
            self.device.clean_up()
        tally.batches += 1
        tally.seconds += time.monotonic() - started
        self.campaign.save(self._path)

    def _note(self, workload: Workload, number: int, error: WrongError) -> None:
        """Keep a failure with the traffic, and say how it comes again."""
        kept = self._path.parent / f"{workload.name}-{number}.log"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(self.device.log.path.read_bytes())
        details = error.details[-DETAILS_KEPT:]
        self.campaign.failures.append(
            Failure(workload.name, number, str(error), details, tracebacks.shown(kept))
        )
        again = f"--seed {self.campaign.seed} --repeat {workload.name}:{number}"
        board = shlex.quote(self.campaign.board)
        run.print_error(f"{workload.name}, batch {number}: {error}")
        run.print_error(f"once more: modthread soak --board {board} {again}")

    def _show_progress(self, ended: threading.Event) -> None:
        while not ended.wait(PROGRESS):
            print(self._progress(), flush=True)

    def _progress(self) -> str:
        minutes = int((time.monotonic() - self.started) // 60)
        counts = [
            f"{self.campaign.tally(name).count:,} {WORKLOADS[name].unit}" for name in self.names
        ]
        failed = len(self.campaign.failures)
        return f"{minutes // 60}:{minutes % 60:02}  {', '.join(counts)}; {failed} failed"

    def _report(self) -> None:
        """Say what has come of it all, and write the page."""
        self.campaign.save(self._path)
        print(f"{'':24}{'count':>14}{'goal':>14}{'batches':>9}{'failed':>8}{'minutes':>9}")
        for name in self.names:
            workload, tally = WORKLOADS[name], self.campaign.tally(name)
            print(
                f"{workload.unit:24}{tally.count:14,}{self.campaign.goal(workload):14,}{tally.batches:9,}"
                f"{self.campaign.failed(name):8}{tally.seconds / 60:9.1f}"
            )
        page = self._path.with_name("report.html")
        write_page(self.campaign, page)
        print(f"seed {self.campaign.seed}; all of it is in {tracebacks.shown(page)}", flush=True)

    @property
    def _path(self) -> Path:
        return campaign_file(self.campaign.board)


def soak(
    device: Device,
    hours: float,
    seed: int | None,
    names: Sequence[str],
    repeat: tuple[str, int] | None,
) -> int:
    """Start `device`, and run its campaign on it, or one batch; return the exit status.

    Blocks for so many hours. Raises ModthreadError where the board or the file will not do.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    campaign = found(device.board, device.emulator is not None, seed)
    with closing(device):
        device.start()
        one = Soak(device, campaign, names)
        return one.repeat(*repeat) if repeat else one.run(hours * 3600)
