"""A command that is killed in its midst."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from modthread import cli, progress


def killed(arguments: list[str], number: int) -> int:
    """Run the command in a process that kills itself at this step of its progress; its status."""
    process = os.fork()
    if process == 0:
        progress.step = _deadly(number)
        cli.main(arguments)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def _deadly(number: int) -> Any:
    left = number

    def show(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def step(_: str) -> Iterator[Callable[[str], None]]:
        yield show

    return step
