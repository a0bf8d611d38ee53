"""The command `boards`: what is attached and what is emulated, each with its name for --board."""

import ast
import json
import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from modthread import attached, boards, lock
from modthread.attached import Attached
from modthread.boards import BOTH_RAISED
from modthread.errors import ModthreadError
from modthread.lock import BoardLock
from modthread.session import MODTHREAD, Session
from modthread.traffic import TrafficLog

ANSWER_LIMIT = 2.0  # seconds
RUNNING = "(os.uname().machine, os.uname().version, modthread)"


@dataclass(frozen=True)
class Row:
    """A board: `select` is what --board takes for it, `runs` what it said that it runs."""

    select: str
    port: str | None
    usb: str | None
    serial_number: str | None
    kinds: tuple[str, ...]
    description: str
    emulated: bool = False
    in_use_by: str | None = None
    runs: str | None = None


def show(ask: bool, as_json: bool) -> int:
    """Print the list, and return the exit status.

    With `ask`, interrupt the program on each attached board, and ask the board what it runs. That
    blocks for some seconds if a board does not answer.
    """
    rows = [_attached(one, ask) for one in attached.attached()]
    rows += [_known(name) for name in boards.names()]
    print(json.dumps([asdict(row) for row in rows], indent=2) if as_json else _table(rows))
    return 0


def _attached(one: Attached, ask: bool) -> Row:
    user = lock.holder(one.port)
    return Row(
        select=one.identity if one.is_known_by_serial_number else one.port,
        port=one.port,
        usb=one.usb,
        serial_number=one.serial_number,
        kinds=one.kinds,
        description=one.description,
        in_use_by=user,
        runs=_ask(one) if ask and not user else None,
    )


def _known(name: str) -> Row:
    board = boards.load(name)
    return Row(name, None, board.usb, None, (name,), board.description, bool(board.emulator))


def _ask(one: Attached) -> str:
    """Interrupt what runs, and return what the board says of itself, or why it does not."""
    config = boards.load(one.kinds[0]).serial if one.kinds else BOTH_RAISED
    try:
        with (
            closing(BoardLock(one.port)),
            closing(Session(one.port, TrafficLog(Path(os.devnull)), config)) as session,
        ):
            session.interrupt_all(ANSWER_LIMIT)
            answer = session.ask(RUNNING, ANSWER_LIMIT, f"{MODTHREAD}import os")
            session.leave(ANSWER_LIMIT)
    except ModthreadError as error:
        return f"no answer: {error}"
    machine, micropython, modthread = ast.literal_eval(answer)
    words = f"{machine}; MicroPython {micropython}"
    return f"{words}; modthread {modthread}" if modthread else words


def _table(rows: Iterable[Row]) -> str:
    table = [("--board", "port", "USB", "serial number", "what it is")]
    table += [
        (
            row.select,
            row.port or ("emulated" if row.emulated else "-"),
            row.usb or "-",
            row.serial_number or "-",
            _words(row),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    return "\n".join(line.rstrip() for line in lines)


def _words(row: Row) -> str:
    words = [row.description]
    if row.port and row.kinds:
        words = [f"{' or '.join(row.kinds)} ({row.description})"]
    if row.in_use_by:
        words.append(f"in use by {row.in_use_by}")
    if row.runs:
        words.append(row.runs)
    return "; ".join(words)
