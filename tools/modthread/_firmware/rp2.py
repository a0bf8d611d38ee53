"""The firmware of a board of MicroPython's ports/rp2, with ports/rp2 laid over it."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modthread._base import project, sources
from modthread._boards.boards import Board, FlashConfig
from modthread._firmware import cmake, image
from modthread._firmware.job import Run, environment, job
from modthread._firmware.makefile import mpy_cross
from modthread._firmware.threads import Threads
from modthread.errors import ModthreadError

PORT = project.ROOT / "ports/rp2"
WITHOUT_THREADS = "stock"
VARIANTS = frozenset({Threads.OURS, Threads.NONE})
SUBMODULES = ["pico-sdk", "tinyusb", "mbedtls"]
KERNEL = re.compile(r"^-- modthread: (.+)$", re.MULTILINE)  # as micropython.cmake says it


def firmware(board: Board, threads: Threads) -> Path:
    """Build the firmware, with our threads or as MicroPython's own is, and return the ELF file."""
    with _configured(board, threads) as (build, micropython, said, run):
        said += run(["cmake", "--build", build, f"--parallel={os.cpu_count()}"])
        if match := KERNEL.search(said):
            (build / "kernel.txt").write_text(match[1])
        assert board.flash
        _convert(build, micropython, board.flash, run)
        image.check_build(build / "firmware.elf", board)
    return build / "firmware.elf"


def configure(board: Board) -> None:
    """Let CMake do its part of a build; raises ModthreadError."""
    with _configured(board, Threads.OURS):
        pass


@contextmanager
def _configured(board: Board, threads: Threads) -> Iterator[tuple[Path, Path, str, Run]]:
    """Hold the folder of the build, configured.

    Yields it, MicroPython's tree, what CMake said, and what runs a command there.
    """
    if board.flash is None:
        raise ModthreadError(f"{board.name}: no [flash] in its board.toml; describe its chip there")
    ours = threads is Threads.OURS
    build = board.directory if ours else project.BUILD / f"{board.name}-stock"
    sdk = sources.pico_sdk()
    submodules = [name for name in SUBMODULES if name != "pico-sdk" or not sdk]
    micropython = cmake.micropython_for(board, *submodules)
    settings = [
        "-GNinja",
        f"-S{micropython / 'ports/rp2'}",
        f"-B{build}",
        *cmake.names(micropython, board),
        f"-DPython3_EXECUTABLE={sys.executable}",
        "-DPICO_NO_PICOTOOL=1",
        "-DPICO_BUILD_DOCS=0",
        *cmake.micropython_lib(micropython, board),
    ]
    if sdk:
        settings.append(f"-DPICO_SDK_PATH_OVERRIDE={sdk}")
    if ours:
        settings.append(f"-DUSER_C_MODULES={PORT / 'micropython.cmake'}")
        if kernel := sources.freertos_kernel():
            settings.append(f"-DFREERTOS_KERNEL_PATH={kernel}")
        if board.traced:
            settings.append("-DMODTHREAD_TRACE=1")
    variables = environment(micropython)
    variables["MICROPY_MPYCROSS"] = str(mpy_cross(micropython))
    with job(f"Building the firmware {build.name}", build, settings, variables) as run:
        yield build, micropython, cmake.configure(build, settings, run), run


def _convert(build: Path, micropython: Path, flash: FlashConfig, run: Run) -> None:
    """Make the UF2 file from the binary one where that is newer."""
    binary, uf2 = build / "firmware.bin", build / "firmware.uf2"
    if uf2.is_file() and uf2.stat().st_mtime_ns > binary.stat().st_mtime_ns:
        return
    part = build / "firmware.uf2.part"
    tool = micropython / "tools/uf2conv.py"
    where = ["-f", f"{flash.rom.family:#x}", "-b", f"{flash.rom.start:#x}"]
    run([sys.executable, tool, "-c", *where, "-o", part, binary])
    part.rename(uf2)
