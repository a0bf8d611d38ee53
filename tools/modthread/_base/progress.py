"""The progress of a long step: a spinner with details on a terminal, one line in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.markup import escape

Show = Callable[[str], None]

console = Console(stderr=True, highlight=False)


@contextmanager
def step(title: str) -> Iterator[Show]:
    """Show on stderr that `title` is going on, and yield a function that shows a detail.

    If a step reports no detail, it did nothing worth a line, and leaves none behind.
    """
    started = monotonic()
    details = 0
    with console.status(title) as status:

        def show(detail: str) -> None:
            nonlocal details
            if not details and not console.is_terminal:
                console.print(f"{title} ...")
            details += 1
            status.update(f"{title}: {escape(detail)} [dim]{monotonic() - started:.0f} s[/]")

        yield show
    if details and console.is_terminal:
        console.print(f"{title}: done in {monotonic() - started:.1f} s")
