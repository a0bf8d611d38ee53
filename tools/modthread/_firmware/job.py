"""One build: its output in a log, only what matters on the screen."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from modthread._base import progress, project, sources, system
from modthread._base.process import killed_with_parent
from modthread._base.progress import Show
from modthread.errors import ModthreadError

# The announcement of one step: make's "CC main.c", Ninja's "[7/99] Building C object dir/main.c.o".
STEP = re.compile(r"(?:[A-Z]+|\[(\d+/\d+)\] (?:Building|Linking) \w+ \w+) (\S+?)(?:\.o)?$")
COMPLAINT = re.compile(
    r"error:|undefined reference|multiple definition|overflowed|No rule to|CMake Error"
)
NAME = re.compile(r"\bMP_QSTR_\w+")
# Said of a compiler or its headers.
NOT_THERE = re.compile(r"not found|No such file|unable to find")
# These would reach the compilers from the `make` that called us or from the user's other work.
FOREIGN = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS"}

Command = Sequence[str | Path]
Run = Callable[[Command], str]


def version() -> str:
    """Return the version, with its commit in a checkout, for example ``0.1.0+1a2b3c4d-dirty``."""
    if not project.IS_CHECKOUT or not shutil.which("git"):
        return project.version()
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=8", "--exclude=*"]
    result = subprocess.run(describe, cwd=project.ROOT, capture_output=True, text=True, check=False)
    commit = result.stdout.strip()
    return f"{project.version()}+{commit}" if commit else project.version()


def environment(micropython: Path) -> dict[str, str]:
    """Return a build's environment: English messages, the pinned source's version and date."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment["LC_ALL"] = "C"
    pin = sources.pinned("micropython")
    if micropython == pin.tree:
        # Otherwise MicroPython's build would ask git, which would answer for this checkout.
        environment["MICROPY_GIT_TAG"] = pin.git_tag
        environment["MICROPY_GIT_HASH"] = pin.git_commit[:9]
        environment["SOURCE_DATE_EPOCH"] = str(pin.released)
    return environment


@contextmanager
def job(
    title: str, build: Path, settings: Sequence[str], environment: dict[str, str]
) -> Iterator[Run]:
    """Hold directory `build`, and yield a function that runs a command of the build there.

    The function shows the command's steps and returns its output, which also goes into
    ``build.log``. It raises ModthreadError with the last complaints. The directory is emptied first
    if its last build had other `settings`, if our sources had other names, or if that build never
    ended. Blocks while another build holds the directory.
    """
    if " " in str(build):
        raise ModthreadError(
            f"make cannot build in '{build}': move the project to a path without spaces"
        )
    with (
        project.locked(build),
        _kept_where_built_with("\n".join([*settings, *_names()]), build),
        progress.step(title) as show,
        (build / "build.log").open("w") as log,
    ):

        def run(command: Command) -> str:
            try:
                status, output = _run_logged(command, environment, log, show)
            except FileNotFoundError as error:
                status, output = 1, f"{error.filename}: not found"
            if status != 0:
                raise _failure(title, build / "build.log", output)
            return output

        yield run


def _names() -> list[str]:
    """Return the names that our sources add to MicroPython's.

    If only these have changed, MicroPython's build fails: it keeps the frozen modules, which hold
    the old names (MicroPython's tools/makemanifest.py).
    """
    folders = (project.ROOT / name for name in ("modthread", "ports"))
    paths = (path for folder in folders for path in folder.rglob("*.[ch]"))
    return sorted({name for path in paths for name in NAME.findall(path.read_text())})


@contextmanager
def _kept_where_built_with(settings: str, build: Path) -> Iterator[None]:
    """Empty directory `build` first if its last build had other `settings` or never ended.

    Nothing else would notice: make trusts whatever is newer than its source.
    """
    record = build / "settings.txt"
    if not record.is_file() or record.read_text() != settings:
        for path in build.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    record.unlink(missing_ok=True)
    try:
        yield
    except ModthreadError:  # a failed build goes on where it failed
        record.write_text(settings)
        raise
    record.write_text(settings)


def _run_logged(
    command: Command, environment: dict[str, str], log: TextIO, show: Show
) -> tuple[int, str]:
    """Run a command, log its output, show its steps; return its exit status and output."""
    lines = []
    with subprocess.Popen(
        [*killed_with_parent(), *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            log.write(line)
            lines.append(line)
            if match := STEP.match(line):
                show(f"{match[1] or ''} {Path(match[2]).name}".strip())
    return process.returncode, "".join(lines)


def _failure(title: str, log: Path, output: str) -> ModthreadError:
    """Return the error for a failed build, from what its `output` says and what is missing."""
    missing = system.missing_packages() if NOT_THERE.search(output) else []
    if missing:
        setup = project.command("setup")
        return ModthreadError(f"missing system packages, run `{setup}`: {' '.join(missing)}")
    lines = [line for line in output.splitlines() if line.strip()]
    complaints = [
        # CMake's are on the lines below.
        " ".join([line, following.strip()]) if line.endswith("):") else line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if COMPLAINT.search(line)
    ]
    return ModthreadError(
        "\n".join([f"{title} failed; the whole output is in {log}", *(complaints or lines)[-3:]])
    )
