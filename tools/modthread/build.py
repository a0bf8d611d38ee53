"""Building the firmware: make, with its output in a log and only what matters on the screen."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from modthread import progress, project, sources, system
from modthread.boards import Board
from modthread.errors import ModthreadError

PORT = project.ROOT / "ports/qemu"
STEP = re.compile(r"[A-Z]+ (\S+)$")  # make's announcement of one step: "CC main.c"
COMPLAINT = re.compile(r"error:|undefined reference|multiple definition|overflowed|No rule to")
NOT_THERE = re.compile(r"not found|No such file")  # said of a compiler or its headers
# What would reach the compilers from the `make` that called us or from the user's other work.
FOREIGN = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "BUILD", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS"}


@dataclass(frozen=True)
class Size:
    """Bytes of a firmware: constant (`text`), initialised (`data`) and cleared (`bss`)."""

    text: int
    data: int
    bss: int


def firmware(board: Board, *, threads: bool = True) -> Path:
    """Build the firmware of `board` where anything has changed, and return the ELF file.

    ``threads=False`` builds the same firmware without threads, in a directory of its own.
    Blocks: seconds for a first build, after that a fraction of one. Raises ModthreadError.
    """
    name = board.name if threads else f"{board.name}-nothreads"
    build = project.BUILD / name
    micropython = sources.micropython()
    kernel = sources.freertos_kernel()
    variables = {
        "BOARD": board.name,
        "MICROPY_DIR": str(micropython),
        "MICROPY_MPYCROSS": str(mpy_cross(micropython)),
    }
    if kernel:
        variables["FREERTOS_KERNEL_PATH"] = str(kernel)
    if not threads:
        variables["THREADS"] = "0"
    make(f"Building the firmware {name}", PORT, build, variables)
    return build / "firmware.elf"


def mpy_cross(micropython: Path) -> Path:
    """Build MicroPython's cross-compiler, outside its tree, and return the program. Blocks."""
    build = project.BUILD / "mpy-cross"
    make("Building mpy-cross", micropython / "mpy-cross", build, {"MICROPY_DIR": str(micropython)})
    return build / "mpy-cross"


def make(title: str, directory: Path, build: Path, variables: dict[str, str]) -> None:
    """Run make in `directory` for directory `build`, alone there, and show its steps.

    `variables` go on make's command line; MICROPY_DIR must be one. All output goes into
    ``build.log`` in `build`. Blocks; raises ModthreadError with the last complaints.
    """
    if " " in str(build):
        raise ModthreadError(
            f"make cannot build in '{build}': move the checkout to a path without spaces"
        )
    settings = [f"BUILD={build}", *(f"{name}={value}" for name, value in variables.items())]
    command = ["make", f"--directory={directory}", f"--jobs={os.cpu_count()}", *settings]
    command.append(f"MODTHREAD_VERSION={version()}")
    environment = _environment(Path(variables["MICROPY_DIR"]))
    log = build / "build.log"
    with (
        project.locked(build),
        _kept_where_built_with("\n".join(settings), build),
        progress.step(title) as show,
    ):
        status = _run_logged(command, environment, log, show)
    if status != 0:
        raise _failure(title, log)


def size(elf: Path) -> Size:
    """Return what the firmware `elf` occupies, counted as ``size`` does."""
    total = {"text": 0, "data": 0, "bss": 0}
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            flags = section["sh_flags"]
            if not flags & SH_FLAGS.SHF_ALLOC:
                continue
            writable = "data" if flags & SH_FLAGS.SHF_WRITE else "text"
            kind = "bss" if section["sh_type"] == "SHT_NOBITS" else writable
            total[kind] += section["sh_size"]
    return Size(**total)


def size_report(board: Board) -> str:
    """Build `board` with and without threads and return a table of what each occupies. Blocks."""
    with_threads = size(firmware(board))
    without = size(firmware(board, threads=False))
    rows = [f"{board.name:24}{'text':>9}{'data':>9}{'bss':>9}"]
    for label, one in (("with threads", with_threads), ("without threads", without)):
        rows.append(f"  {label:22}{one.text:9}{one.data:9}{one.bss:9}")
    rows.append(
        f"  {'threads cost':22}{with_threads.text - without.text:9}"
        f"{with_threads.data - without.data:9}{with_threads.bss - without.bss:9}"
    )
    return "\n".join(rows)


def version() -> str:
    """Return this checkout's version with its commit, for example ``0.1.0+1a2b3c4d-dirty``."""
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=8", "--exclude=*"]
    result = subprocess.run(describe, cwd=project.ROOT, capture_output=True, text=True, check=False)
    commit = result.stdout.strip()
    return f"{project.version()}+{commit}" if commit else project.version()


@contextmanager
def _kept_where_built_with(settings: str, build: Path) -> Iterator[None]:
    """Empty directory `build` first if its last build had other `settings` or never ended.

    make would notice neither: it trusts whatever is newer than its source.
    """
    record = build / "settings.txt"
    if not record.is_file() or record.read_text() != settings:
        for path in build.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    record.unlink(missing_ok=True)
    yield
    record.write_text(settings)


def _run_logged(
    command: list[str], environment: dict[str, str], log: Path, show: Callable[[str], None]
) -> int:
    """Run make with its output in file `log` and its steps shown; return its exit status."""
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            output.write(line)
            if match := STEP.match(line):
                show(Path(match[1]).name)
    return process.returncode


def _environment(micropython: Path) -> dict[str, str]:
    """Return make's environment: English messages, and the pinned source's version and date."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment["LC_ALL"] = "C"
    pin = sources.pinned("micropython")
    if micropython == pin.tree:
        # Otherwise MicroPython's build would ask git, which would answer for this checkout.
        environment["MICROPY_GIT_TAG"] = pin.git_tag
        environment["MICROPY_GIT_HASH"] = pin.git_commit[:9]
        environment["SOURCE_DATE_EPOCH"] = str(pin.released)
    return environment


def _failure(title: str, log: Path) -> ModthreadError:
    """Return the error for a failed build, from what its `log` says and what is missing."""
    text = log.read_text(errors="replace")
    missing = system.missing_packages() if NOT_THERE.search(text) else []
    if missing:
        return ModthreadError(f"missing system packages, run `make setup`: {' '.join(missing)}")
    lines = text.splitlines()
    complaints = [line for line in lines if COMPLAINT.search(line)] or lines
    return ModthreadError("\n".join([f"{title} failed; all of it is in {log}", *complaints[-3:]]))
