"""The options ``--board`` and ``--port``: which kind of board, and where it is."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from modthread._base import project, sources
from modthread._boards import boards, catalogue, labgrid, usb
from modthread._boards.boards import Board, UnknownBoardError
from modthread._boards.usb import Attached
from modthread.errors import ModthreadError

HELP = (
    "the board: its name or folder, its USB serial number, port or URL, or NAME@ and one of these"
)


@dataclass(frozen=True)
class Choice:
    """A kind of board, and `where` it is: a USB serial number, a port or any pyserial URL.

    `where` is None for an emulated board, and empty for the one of its kind that is attached. The
    kind is `guessed` where USB alone tells it, since many kinds have the same identifiers.
    """

    board: Board
    where: str | None = None
    guessed: bool = field(default=False, compare=False)

    def port(self) -> str | None:
        """Return the port, None where the board is emulated.

        Raises ModthreadError that lists the candidates where there is none, or more than one.
        """
        if self.where is None:
            return None
        return _port(self.where) if self.where else _only(self.board).port

    @property
    def place(self) -> str:
        """A word for where the board is."""
        return _word(self.where) if self.where else "emulated" if self.where is None else "attached"


def choose(board: str | None, port: str | None = None) -> Choice:
    """Return what the options ``--board`` and ``--port`` choose.

    `board` is NAME, or WHERE, or NAME@WHERE; `port` is WHERE, too. Without WHERE it is the emulated
    board; if its kind is not emulated, the one board of that kind that is attached. Without NAME,
    USB tells the kind. Without both, it is the first board of the user's project. Blocks while
    MicroPython is fetched, which knows most boards, if it is not there yet. Raises ModthreadError.
    """
    try:
        found = _choose(board, port)
        if found.board.is_described or sources.micropython_at_hand():
            return found
    except UnknownBoardError:
        if sources.micropython_at_hand():
            raise
    sources.micropython()
    return _choose(board, port)


def _choose(board: str | None, port: str | None) -> Choice:
    if board is None:
        return at(port) if port else choose(defaults(project.around(Path.cwd()))[0])
    if port:
        return Choice(boards.load(board), port)
    if boards.is_known(board):
        kind = boards.load(board)
        return Choice(kind, None if kind.emulator else "")
    name, _, where = board.partition("@")
    if where and boards.is_known(name):
        return Choice(boards.load(name), where)
    return at(board)


def defaults(root: Path | None) -> tuple[str, ...]:
    """Return what ``--board`` would be for the boards of the user's project in folder `root`."""
    return (project.user_project(root).boards if root else ()) or (boards.DEFAULT,)


def emulated() -> list[str]:
    """Return the names of the emulated boards that can be built from the MicroPython at hand.

    Says in a line which cannot. Blocks while MicroPython is fetched; raises ModthreadError.
    """
    micropython = sources.micropython()
    found = []
    for board in map(boards.load, boards.names()):
        if not board.emulator:
            continue
        reason = board.definition and catalogue.obstacle(micropython, board.definition)
        if reason:
            print(f"modthread: without {board.name}: {reason}", file=sys.stderr)
        else:
            found.append(board.name)
    return found


def at(where: str) -> Choice:
    """Return the board at `where`, of the kind that USB tells, or of a kind that nobody knows."""
    found = usb.at(_port(where))
    if found and (len(found.kinds) == 1 or {*found.kinds[:1]} & {*boards.names()}):
        return Choice(boards.load(found.kinds[0]), where, guessed=True)
    return Choice(Board(name=_word(where), description="of unknown kind", port=""), where)


def only_attached(name: str | None = None) -> Choice:
    """Return the one board that is attached, of the kind `name` where that is given."""
    board = boards.load(name) if name else None
    found = _only(board)
    return Choice(board, found.port) if board else at(found.port)


def _only(board: Board | None) -> Attached:
    known = usb.attached()
    found = [one for one in known if one.usb and (board is None or one.usb == board.usb)]
    if len(found) == 1:
        return found[0]
    kind, name = (board.name, f"{board.name}@PORT") if board else ("board", "PORT")
    if found:
        raise _ambiguous(f"more than one {kind}", found)
    raise ModthreadError(f"no {kind} found; connected: {_list(known)}; use --board {name}")


def _port(where: str) -> str:
    """Return the port that `where` is, or the one with this serial number."""
    if where.startswith(labgrid.PREFIX):
        return where
    if "/" in where:
        if os.path.isdir(where):  # noqa: PTH112 (Path's raises where one may not look)
            raise ModthreadError(
                f"{where} has neither board.toml nor mpconfigboard.cmake;"
                " name the folder of a board"
            )
        return where
    known = usb.attached()
    found = [one for one in known if one.serial_number == where]
    if len(found) == 1:
        return found[0].port
    if found:
        raise _ambiguous(f"more than one port of a board with serial number {where}", found)
    raise UnknownBoardError(
        f"unknown board '{where}'; {boards.suggestions(where)}; connected: {_list(known)}"
    )


def _word(where: str) -> str:
    return re.sub(r"[^\w.]+", "_", where.rpartition("/")[2])


def _ambiguous(what: str, found: Sequence[Attached]) -> ModthreadError:
    return ModthreadError(f"{what}: {_list(found)}; use --board with one of them")


def _list(found: Sequence[Attached]) -> str:
    return ", ".join(map(str, found)) or "none"
