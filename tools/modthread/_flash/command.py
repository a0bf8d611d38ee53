"""The command `flash`: from a board on the desk to one that is known to run the firmware."""

from contextlib import closing
from pathlib import Path

from modthread._base import progress, project
from modthread._boards import labgrid
from modthread._boards.boards import Board
from modthread._firmware import build
from modthread._flash.esp32 import EsptoolFlasher
from modthread._flash.flasher import Flasher, Outcome
from modthread._flash.rp2 import Uf2Flasher
from modthread._link.traffic import TrafficLog
from modthread.errors import ModthreadError


def put(
    board: Board,
    port: str | None,
    *,
    image: Path | None = None,
    no_build: bool = False,
    always: bool = False,
    wait: float = 0.0,
    patience: float = 1.0,
    guessed: bool = False,
) -> Outcome:
    """Build, and put the firmware on the board, unless that runs it already; `always` puts it.

    Without `port` it is the one board of its kind that is attached or waits in its bootloader.
    `image` is a file to write instead of the build's. Blocks for about a minute at most, and for
    `wait` seconds while the board is in use. The answers of an emulated board may take `patience`
    times longer. Where the kind was `guessed`, or there is no `port`, what runs on the board must
    call itself by its name, if it runs MicroPython. Raises ModthreadError.
    """
    kind = _kind(board)
    if not (no_build or image):
        build.firmware(board)
    log = TrafficLog(project.BUILD / f"logs/{board.name}-flash.log")
    with closing(log), progress.step(f"Flashing {board.name}") as show:
        path = image or board.firmware.with_name(kind.IMAGE)
        named = port is not None and not guessed
        flasher = kind(board, path, log, show, always, wait, patience, named)
        if port is None:
            return flasher.flash(None)
        with labgrid.reached(port) as place:
            return flasher.flash(place)


def _kind(board: Board) -> type[Flasher]:
    if board.flash:
        return Uf2Flasher
    if board.esptool:
        return EsptoolFlasher
    if not board.port:
        raise ModthreadError(f"{board.name} is of unknown kind; name its kind with --board NAME")
    why = "is emulated and needs no flashing" if board.emulator else "has no [flash] in board.toml"
    raise ModthreadError(f"{board.name} {why}; boards that are flashed: modthread boards --all")
