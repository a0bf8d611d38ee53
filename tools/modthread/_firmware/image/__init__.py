"""Whether the chip would run an image: what can be known without one.

The rules in ``rules`` ask the ELF file, what lies beside it, and ``chips``, the table of facts.
"""

from contextlib import suppress
from pathlib import Path

from modthread._boards.boards import Board
from modthread._firmware.image.chips import Chip, chip_of
from modthread._firmware.image.elf import Elf
from modthread._firmware.image.image import Fault, Image, flash_size
from modthread._firmware.image.rules import RULES
from modthread.errors import ModthreadError

__all__ = [
    "Chip",
    "Elf",
    "Fault",
    "Image",
    "check",
    "check_build",
    "chip_of",
    "faults",
    "flash_size",
]

# What others would take from the folder of a build: to flash it, to boot it, to convert it.
TAKEN = ("elf", "bin", "uf2", "hex")
NAMES = ("firmware", "micropython")
KEPT = "refused.elf"
RECORD = "image.txt"


def faults(image: Image) -> list[Fault]:
    """Return all that breaks a rule, in the order in which one explains the next."""
    return [fault for rule in RULES for fault in rule(image)]


def check(elf: Path, board: Board) -> None:
    """Check the image whose ELF file is `elf`, and what lies beside it, against `board`.

    Raises ModthreadError, one line, with the first fault, and where there are more, how many.
    """
    if wrong := _wrong(elf, board):
        more = f" ({len(wrong) - 1} more like it)" if len(wrong) > 1 else ""
        raise ModthreadError(f"{elf}: {wrong[0].what}; {wrong[0].remedy}{more}")


def _wrong(elf: Path, board: Board) -> list[Fault]:
    return faults(Image.of(chip_of(board), Elf(elf)))


def check_build(elf: Path, board: Board) -> None:
    """Check what a build has left, unless it was checked as it is; about a second.

    Raises ModthreadError, one line; then no image is left, but ``refused.elf`` to look at and
    ``image.txt``, which names all faults. Who calls holds the folder.
    """
    record = elf.with_name(RECORD)
    now = _state(elf.parent)
    with suppress(FileNotFoundError):
        if record.read_text() == now:
            return
    wrong = _wrong(elf, board)
    if not wrong:
        record.write_text(now)
        return
    record.write_text("".join(f"{one.what}; {one.remedy}\n" for one in wrong))
    elf.resolve().rename(elf.with_name(KEPT))
    for path in _taken(elf.parent):
        path.unlink()
    more = f"; {len(wrong) - 1} more in {record}" if len(wrong) > 1 else ""
    raise ModthreadError(
        f"{board.name} would not run {elf.name}, so it is now {KEPT}: {wrong[0].what};"
        f" {wrong[0].remedy}{more}"
    )


def _taken(folder: Path) -> list[Path]:
    paths = (folder / f"{name}.{kind}" for name in NAMES for kind in TAKEN)
    return [path for path in paths if path.is_file() or path.is_symlink()]


def _state(folder: Path) -> str:
    """Return what changes with the files that are checked, and with this package."""
    ours = max(path.stat().st_mtime_ns for path in Path(__file__).parent.rglob("*.py"))
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _taken(folder)]
    return f"accepted {ours} {files}\n"
