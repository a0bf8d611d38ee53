"""The command `boards`: what is attached, what is emulated, and what can be built for."""

import ast
import json
import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from modthread._base import sources
from modthread._boards import boards, catalogue, reservation, seen, usb
from modthread._boards.boards import BOTH_RAISED
from modthread._boards.catalogue import Definition
from modthread._boards.reservation import Reservation
from modthread._boards.seen import Seen
from modthread._boards.usb import Attached
from modthread._link.session import MODTHREAD, Session
from modthread._link.traffic import TrafficLog
from modthread.errors import ModthreadError

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


@dataclass(frozen=True)
class Kind:
    """A kind of board that MicroPython or boards/ has.

    `select` is what --board takes for it, `variants` are what may follow that after a hyphen.
    `why_not` says why it cannot be built; `ours` whether boards/ has a folder for it.
    """

    select: str
    chip: str
    product: str
    variants: tuple[str, ...]
    ours: bool
    emulated: bool
    why_not: str | None


def show(ask: bool, as_json: bool) -> int:
    """Print the list, and return the exit status.

    With `ask`, interrupt the program on each attached board, and ask the board what it runs. That
    blocks for some seconds if a board does not answer.
    """
    rows = [_attached(one, ask) for one in usb.attached()]
    rows += [_known(name) for name in boards.names()]
    if as_json:
        _print_json(rows)
    else:
        print(_table(_ROW_HEAD, map(_row, rows)))
    return 0


def show_all(as_json: bool) -> int:
    """Print each board that has a name, and return the exit status.

    Blocks while MicroPython, which knows most of them, is fetched.
    """
    micropython = sources.micropython()
    kinds = [_ours(name) for name in boards.names() if not catalogue.find(micropython, name)]
    kinds += [_kind(micropython, one) for one in catalogue.definitions(micropython)]
    kinds.sort(key=lambda kind: kind.select)
    if as_json:
        _print_json(kinds)
    else:
        print(_table(_KIND_HEAD, map(_kind_row, kinds)))
    return 0


def show_seen(as_json: bool) -> int:
    """Print what has been seen of each board, and return the exit status."""
    rows = seen.seen()
    if as_json:
        _print_json(rows)
    else:
        print(seen.markdown(rows))
    return 0


def _print_json(rows: Iterable[Row | Kind | Seen]) -> None:
    print(json.dumps([asdict(row) for row in rows], indent=2))


def _ours(name: str) -> Kind:
    """Return a board that MicroPython does not have."""
    board = boards.load(name)
    return Kind(name, "-", board.description, (), True, bool(board.emulator), None)


def _kind(micropython: Path, one: Definition) -> Kind:
    mcu = one.mcu()
    why_not = catalogue.obstacle(micropython, one)
    ours = one.name in boards.names()
    emulated = ours and not why_not and bool(boards.load(one.name).emulator)
    return Kind(one.name, catalogue.chip(mcu), one.product, one.variants, ours, emulated, why_not)


def _attached(one: Attached, ask: bool) -> Row:
    user = reservation.holder(one.port)
    runs, kinds = _ask(one) if ask and not user else (None, one.kinds)
    return Row(
        select=one.identity if one.is_known_by_serial_number else one.port,
        port=one.port,
        usb=one.usb,
        serial_number=one.serial_number,
        kinds=kinds,
        description=one.description,
        in_use_by=user,
        runs=runs,
    )


def _known(name: str) -> Row:
    board = boards.load(name)
    return Row(name, None, board.usb, None, (name,), board.description, bool(board.emulator))


def _ask(one: Attached) -> tuple[str, tuple[str, ...]]:
    """Interrupt what runs, and return what the board says of itself, or why it does not.

    And which kinds it may be: of those with the same USB identifiers, the ones that it says.
    """
    config = boards.load(one.kinds[0]).serial if one.kinds else BOTH_RAISED
    try:
        with (
            closing(Reservation(one.port)),
            closing(Session(one.port, TrafficLog(Path(os.devnull)), config)) as session,
        ):
            session.interrupt_all(ANSWER_LIMIT)
            answer = session.ask(RUNNING, ANSWER_LIMIT, f"{MODTHREAD}import os")
            session.leave(ANSWER_LIMIT)
    except ModthreadError as error:
        return f"no answer: {error}", one.kinds
    machine, micropython, modthread = ast.literal_eval(answer)
    words = f"{machine}; MicroPython {micropython}"
    kinds = tuple(name for name in one.kinds if boards.load(name).calls_itself(machine))
    return (f"{words}; modthread {modthread}" if modthread else words), kinds or one.kinds


_ROW_HEAD = ("--board", "port", "USB", "serial number", "what it is")
_KIND_HEAD = ("--board", "chip", "variants", "what it is")


def _row(row: Row) -> tuple[str, ...]:
    return (
        row.select,
        row.port or ("emulated" if row.emulated else "-"),
        row.usb or "-",
        row.serial_number or "-",
        _words(row),
    )


def _kind_row(kind: Kind) -> tuple[str, ...]:
    words = [kind.product]
    if kind.emulated:
        words.append("emulated")
    if kind.why_not:
        words.append(f"cannot be built: {kind.why_not}")
    return (kind.select, kind.chip, ", ".join(kind.variants) or "-", "; ".join(words))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    return "\n".join(line.rstrip() for line in lines)


def _few(kinds: tuple[str, ...]) -> str:
    """Return two names, or one and how many others there are."""
    if len(kinds) <= 2:
        return " or ".join(kinds)
    return f"{kinds[0]} or one of {len(kinds) - 1} others"


def _words(row: Row) -> str:
    words = [row.description]
    if row.port and row.kinds:
        words = [f"{_few(row.kinds)} ({row.description})"]
    if row.in_use_by:
        words.append(f"in use by {row.in_use_by}")
    if row.runs:
        words.append(row.runs)
    return "; ".join(words)
