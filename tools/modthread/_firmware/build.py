"""Building the firmware of a board, and what it occupies."""

from pathlib import Path
from types import ModuleType

from modthread._boards.boards import Board
from modthread._firmware import esp32, qemu, rp2
from modthread._firmware.job import FOREIGN, version
from modthread._firmware.makefile import make, mpy_cross
from modthread._firmware.sizes import Size, library, size, table
from modthread._firmware.threads import Threads
from modthread.errors import ModthreadError

__all__ = [
    "FOREIGN",
    "Size",
    "Threads",
    "can_have",
    "configure",
    "firmware",
    "library",
    "make",
    "mpy_cross",
    "size",
    "size_report",
    "version",
]

PORTS: dict[str, ModuleType] = {"esp32": esp32, "qemu": qemu, "rp2": rp2}


def firmware(board: Board, threads: Threads = Threads.OURS) -> Path:
    """Build the firmware of `board` where anything has changed, and return the ELF file.

    With other `threads` than ours it is built in a directory of its own, to compare with.
    Blocks: up to minutes for a first build, after that a fraction of a second. Raises
    ModthreadError.
    """
    if not board.port:
        raise ModthreadError(f"{board.name} is of unknown kind; name its kind with --board NAME")
    if board.port not in PORTS:
        raise ModthreadError(f"{board.name}: no port '{board.port}'; correct its board.toml")
    elf: Path = PORTS[board.port].firmware(board, threads)
    return elf


def configure(board: Board) -> None:
    """Let CMake configure the firmware of a board of ports/rp2 or ports/esp32, as a build begins.

    Blocks for some seconds; raises ModthreadError.
    """
    PORTS[board.port].configure(board)


def can_have(board: Board, threads: Threads) -> bool:
    """Return whether the board can be built with these `threads`."""
    return threads in PORTS[board.port].VARIANTS


def size_report(board: Board) -> str:
    """Build `board` with and without threads and return a table of what each occupies. Blocks."""
    with_threads = firmware(board)
    without = firmware(board, Threads.NONE)
    report = table(board.name, with_threads, PORTS[board.port].WITHOUT_THREADS, without)
    kernel = with_threads.with_name("kernel.txt")  # where the port's build says which it has
    return f"{report}\n  {kernel.read_text()}" if kernel.is_file() else report
