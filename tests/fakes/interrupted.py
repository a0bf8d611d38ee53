"""A command that is killed in its midst."""

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from modthread import cli
from modthread._base import progress

LIBC = ctypes.CDLL(None)
PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


def killed(arguments: list[str], number: int) -> int:
    """Run the command in a process that kills itself at this step of its progress; its status.

    Returns once all programs have ended that the command has started: they may have the port.
    """
    reaper = os.fork()
    if reaper == 0:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        process = os.fork()
        if process == 0:
            progress.step = _deadly(number)
            cli.main(arguments)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        with suppress(ChildProcessError):
            while True:
                os.wait()
        os._exit(-os.waitstatus_to_exitcode(status))
    _, status = os.waitpid(reaper, 0)
    return -os.waitstatus_to_exitcode(status)


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
