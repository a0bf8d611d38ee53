"""What has been seen of each board: built, run on an emulator, or on the board itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from modthread._base import project
from modthread._boards import boards
from modthread.errors import ModthreadError

FILE = boards.DIRECTORY / "seen.toml"
NOT_YET = "not yet"


@dataclass(frozen=True)
class Seen:
    """What the file says of the board that --board calls `select`; see there."""

    select: str
    built: tuple[str, ...] = ()
    run: str = NOT_YET
    hardware: str = NOT_YET


def seen() -> list[Seen]:
    """Return what has been seen, in the file's order; raises ModthreadError for a wrong file."""
    table = project.read_toml(FILE) or {}
    try:
        return [boards.made(Seen, {"select": name} | one) for name, one in table.items()]
    except TypeError as error:
        raise ModthreadError(f"{FILE}: {error}; correct it") from None


def markdown(rows: Iterable[Seen]) -> str:
    """Return the table of docs/boards.md."""
    head = "| board | built with MicroPython | run on an emulator | seen on hardware |"
    lines = [head, "|---|---|---|---|"]
    for one in rows:
        built = ", ".join(one.built) or NOT_YET
        lines.append(f"| `{one.select}` | {built} | {one.run} | {one.hardware} |")
    return "\n".join(lines)
