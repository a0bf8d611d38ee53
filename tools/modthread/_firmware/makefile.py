"""Builds with make."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

from modthread._base import project, sources
from modthread._firmware.job import environment, job, version


def make(
    title: str,
    directory: Path,
    build: Path,
    variables: dict[str, str],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run make in `directory` for directory `build`, alone there, and show its steps.

    `variables` go on make's command line; MICROPY_DIR must be one of them. All output goes into
    ``build.log`` in `build`. The result is checked before another process can have it. Blocks;
    raises ModthreadError with the last complaints.
    """
    settings = [f"BUILD={build}", *(f"{name}={value}" for name, value in variables.items())]
    command = ["make", f"--directory={directory}", f"--jobs={os.cpu_count()}", *settings]
    command.append(f"MODTHREAD_VERSION={version()}")
    with job(
        title, build, [str(directory), *settings], environment(Path(variables["MICROPY_DIR"]))
    ) as run:
        run(command)
        check()


def mpy_cross(micropython: Path) -> Path:
    """Build MicroPython's cross-compiler, outside its tree, and return the program. Blocks.

    Each tree has a folder of its own: a build with another tree may take its program meanwhile.
    """
    is_pinned = micropython == sources.pinned("micropython").tree
    which = "" if is_pinned else f"-{zlib.crc32(str(micropython).encode()):08x}"
    build = project.BUILD / f"mpy-cross{which}"
    make("Building mpy-cross", micropython / "mpy-cross", build, {"MICROPY_DIR": str(micropython)})
    return build / "mpy-cross"
