"""The common part of all ways to flash a board: what it runs, before and after."""

import ast
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from modthread._base.progress import Show
from modthread._boards.boards import Board
from modthread._link.session import MODTHREAD, BoardError, Session
from modthread._link.traffic import TrafficLog
from modthread.errors import ModthreadError

ANSWER_LIMIT = 5.0  # seconds for an answer of MicroPython
RETURN_LIMIT = 20.0  # seconds until a board that has been written to answers
POLL = 0.3
MACHINE = "__import__('os').uname().machine"


@dataclass(frozen=True)
class Outcome:
    """The firmware that the board on `port` runs now; not `written` if it ran that before.

    `checksum` is the CRC-32 of its image, as the board has read it from its flash.
    """

    version: str | None
    port: str
    checksum: int
    written: bool = True

    @property
    def runs(self) -> str:
        """What runs on the board, in words."""
        return f"modthread {self.version}" if self.version else "a firmware without modthread"


@dataclass
class Flasher(ABC):
    """Puts the `image` on a board, unless the board runs it already; `always` puts it then, too.

    `show` gets the progress. The board may be in use for `wait` seconds. Its answers may take
    `patience` times longer than a real board's. If `named`, a person has said which board it is and
    where: then a board that calls itself another one, with the same chip, is written, too.
    """

    IMAGE: ClassVar[str]
    """The name of the image beside the firmware that is built."""

    board: Board
    image: Path
    log: TrafficLog
    show: Show
    always: bool = False
    wait: float = 0.0
    patience: float = 1.0
    named: bool = True

    @abstractmethod
    def flash(self, port: str | None) -> Outcome:
        """Flash the board on `port`, or the one that is attached; blocks, about a minute at most.

        Raises ModthreadError; the next call repairs what an interrupted one has left.
        """

    @property
    @abstractmethod
    def chip(self) -> str:
        """The chip as MicroPython names it at the end of ``os.uname().machine``."""

    @property
    @abstractmethod
    def checksum(self) -> int:
        """CRC-32 of what is in flash once the image has been written."""

    @abstractmethod
    def checksum_on_board(self) -> tuple[str, str]:
        """Return Python source, and an expression that is `checksum` on a board with the image.

        What is in flash, not its version: two builds of changed sources may have the same.
        """

    @property
    def remedy(self) -> str:
        """What to do where a board does not come back."""
        return "reset it and run this again"

    def session(self, port: str) -> Session:
        """Open the board's port."""
        return Session(port, self.log, self.board.serial)

    def machine(self, session: Session, port: str) -> str | None:
        """Interrupt what runs, and return the board's name; None where MicroPython does not answer.

        Raises ModthreadError where the image is not for that board.
        """
        try:
            session.interrupt_all(ANSWER_LIMIT)
            machine = str(ast.literal_eval(session.ask(MACHINE, ANSWER_LIMIT)))
        except BoardError as error:
            self.log.note(f"no MicroPython: {error}")
            return None
        if not machine.endswith(f" with {self.chip}"):
            raise ModthreadError(
                f"{port} is a {machine}, {self.board.name} needs {self.chip}; "
                "nothing was written; name the right board or port"
            )
        if not (self.named or self.board.calls_itself(machine)):
            raise ModthreadError(
                f"{port} calls itself {machine}, which is not {self.board.name}; nothing was "
                f"written; to write all the same, name both: --board {self.board.name}@{port}"
            )
        return machine

    def up_to_date(self, session: Session, port: str) -> Outcome | None:
        """Return what the board runs if that is the image; then main.py runs there.

        MicroPython must have answered. Returns None if the image has to be written.
        """
        if self.always:
            return None
        self.show("asking the board what it runs")
        try:
            version, checksum = self._ask(session)
        except BoardError as error:  # a firmware that cannot tell
            self.log.note(f"no checksum: {error}")
            return None
        if checksum != self.checksum:
            return None
        session.restart(ANSWER_LIMIT)
        return Outcome(version, port, checksum, written=False)

    def verify(self, find: Callable[[], str | None]) -> Outcome:
        """Ask the board what it runs until it answers; `find` returns its port if it has one."""
        self.show("waiting for the board to answer")
        failure = "its serial port did not come back"
        deadline = time.monotonic() + RETURN_LIMIT
        while time.monotonic() < deadline:
            time.sleep(POLL)
            if port := find():
                try:
                    return self._written(port)
                except _DiffersError:
                    raise
                except ModthreadError as error:  # not ready yet
                    failure = str(error)
        raise NotBackError(
            f"the firmware is written, but the board does not answer: {failure}; {self.remedy}",
            self.checksum,
        )

    def _written(self, port: str) -> Outcome:
        """Return what runs on the board, which must be the image."""
        with self.session(port) as session:
            session.interrupt_all(ANSWER_LIMIT)
            version, checksum = self._ask(session)
            if checksum == self.checksum:
                session.restart(ANSWER_LIMIT)
                return Outcome(version, port, checksum)
        runs = f"modthread {version}" if version else "no modthread"
        raise _DiffersError(
            f"the board on {port} runs {runs} and not {self.image}: "
            f"what is in its flash differs; {self.remedy}",
            self.checksum,
        )

    def _ask(self, session: Session) -> tuple[str | None, int]:
        source, expression = self.checksum_on_board()
        limit = ANSWER_LIMIT * self.patience
        answer = session.ask(f"(modthread, {expression})", limit, MODTHREAD + source)
        version, checksum = ast.literal_eval(answer)
        return version, checksum


class NotBackError(ModthreadError):
    """The image with this `checksum` has been written, and the board does not run it."""

    def __init__(self, message: str, checksum: int) -> None:
        super().__init__(message)
        self.checksum = checksum


class _DiffersError(NotBackError):
    """The board answers, but does not run what was written."""
