"""The progress of a long step: a spinner with details on a terminal, one line in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[[str], None]


@cache
def console() -> "Console":
    """Return what shows a command's progress: the terminal, or a log, at stderr."""
    from rich.console import Console  # many runs show nothing

    return Console(stderr=True, highlight=False)


@contextmanager
def step(title: str) -> Iterator[Show]:
    """Show on stderr that `title` is going on, and yield a function that shows a detail.

    If a step reports no detail, it did nothing worth a line, and leaves none behind.
    """
    from rich.markup import escape

    started = monotonic()
    screen = console()
    details = 0
    with screen.status(title) as status:

        def show(detail: str) -> None:
            nonlocal details
            if not details and not screen.is_terminal:
                screen.print(f"{title} ...")
            details += 1
            status.update(f"{title}: {escape(detail)} [dim]{monotonic() - started:.0f} s[/]")

        yield show
    if details and screen.is_terminal:
        screen.print(f"{title}: done in {monotonic() - started:.1f} s")
