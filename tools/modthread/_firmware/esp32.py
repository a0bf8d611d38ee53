"""The firmware of a board of MicroPython's ports/esp32, with ports/esp32 laid over it."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modthread._base import project, sources
from modthread._boards.boards import Board
from modthread._firmware import cmake, image
from modthread._firmware.job import Run, environment, job
from modthread._firmware.makefile import mpy_cross
from modthread._firmware.threads import Threads
from modthread.errors import ModthreadError

PORT = project.ROOT / "ports/esp32"
WITHOUT_THREADS = "stock"
VARIANTS = frozenset({Threads.OURS, Threads.NONE})
# As ESP-IDF calls the compiler of each chip.
COMPILERS = {
    "ESP32": "xtensa-esp32-elf-gcc",
    "ESP32S3": "xtensa-esp32s3-elf-gcc",
    "ESP32C3": "riscv32-esp-elf-gcc",
}
HOW = "see docs/esp32.md"


def firmware(board: Board, threads: Threads) -> Path:
    """Build the firmware, with our threads or as MicroPython's own, and return the ELF file.

    Beside it are ``firmware.bin``, with all that goes into the flash, and the files for esptool:
    ``flasher_args.json`` and those that it names.
    """
    with _configured(board, threads) as (build, python, micropython, run):
        run(["cmake", "--build", build, f"--parallel={os.cpu_count()}"])
        parts = ["sdkconfig", "bootloader/bootloader.bin", "partition_table/partition-table.bin"]
        files = [*parts, "micropython.bin", "firmware.bin", "firmware.uf2"]
        tool = micropython / "ports/esp32/makeimg.py"
        run([python, tool, *(build / file for file in files)])
        elf = build / "firmware.elf"
        if not elf.is_symlink():
            elf.symlink_to("micropython.elf")
        image.check_build(elf, board)
    return elf


def configure(board: Board) -> None:
    """Let CMake do its part of a build; raises ModthreadError."""
    with _configured(board, Threads.OURS):
        pass


@contextmanager
def _configured(board: Board, threads: Threads) -> Iterator[tuple[Path, Path, Path, Run]]:
    """Hold the folder of the build, configured.

    Yields it, ESP-IDF's Python, MicroPython's tree, and what runs a command there.
    """
    if board.esptool is None:
        raise ModthreadError(f"{board.name}: no [esptool] in its board.toml; name its chip there")
    if board.esptool.chip not in COMPILERS:
        known = ", ".join(COMPILERS)
        raise ModthreadError(
            f"{board.name}: no threads for {board.esptool.chip} yet, only for {known};"
            " name another board"
        )
    if board.traced:
        raise ModthreadError(f"{board.name} has no firmware that records its threads yet")
    ours = threads is Threads.OURS
    idf = esp_idf(board.name)
    python = _python(idf, board.esptool.chip)
    micropython = cmake.micropython_for(board)
    build = board.directory if ours else project.BUILD / f"{board.name}-stock"
    settings = [
        "-GNinja",
        f"-S{micropython / 'ports/esp32'}",
        f"-B{build}",
        f"-DPYTHON={python}",
        *cmake.micropython_lib(micropython, board),
    ]
    settings += _overlaid(micropython, board) if ours else cmake.names(micropython, board)
    if ours:
        settings.append(f"-DUSER_C_MODULES={PORT / 'micropython.cmake'}")
    elif not (micropython / "lib/berkeley-db-1.xx/README").is_file():
        settings.append("-DMICROPY_PY_BTREE=OFF")
    variables = environment(micropython)
    variables["MICROPY_MPYCROSS"] = str(mpy_cross(micropython))
    with job(
        f"Building the firmware {build.name}", build, [f"IDF_PATH={idf}", *settings], variables
    ) as run:
        cmake.configure(build, settings, run)
        yield build, python, micropython, run


def _overlaid(micropython: Path, board: Board) -> list[str]:
    """Return the settings that name the board where our folder is MICROPY_BOARD_DIR."""
    settings = [f"-DMICROPY_BOARD={board.micropython_name}", f"-DMICROPY_BOARD_DIR={PORT}"]
    if folder := cmake.folder_outside(micropython, board):
        settings.append(f"-DMODTHREAD_BOARD_DIR={folder}")
    if board.variant:
        settings.append(f"-DMODTHREAD_BOARD_VARIANT={board.variant}")
    return settings


def esp_idf(board: str) -> Path:
    """Return the ESP-IDF that ``IDF_PATH`` names.

    Raises ModthreadError where there is none, or MicroPython does not go with it.
    """
    micropython = sources.micropython()
    release = _version(micropython / "py/mpconfig.h", "MICROPY_VERSION")[:2]
    table = {tuple(key.split(".")): value for key, value in project.settings()["esp-idf"].items()}
    if release not in table:
        known = ", ".join(".".join(key) for key in table)
        raise ModthreadError(
            f"{micropython} is MicroPython {'.'.join(release)}; {board} is built with {known}:"
            " set MICROPY_DIR to one of these"
        )
    versions = table[release]
    idf = project.directory_from_environment("IDF_PATH", "tools/cmake/version.cmake")
    if idf is None:
        raise ModthreadError(f"{board} needs ESP-IDF {versions[0]}: install it, {HOW}")
    found = _version(idf / "tools/cmake/version.cmake", "IDF_VERSION")
    if not any(".".join((*found, "")).startswith(f"{version}.") for version in versions):
        raise ModthreadError(
            f"IDF_PATH={idf} is ESP-IDF {'.'.join(found)}; MicroPython {'.'.join(release)} takes"
            f" {', '.join(versions)}: check out one of these, or set MICROPY_DIR; {HOW}"
        )
    return idf


def _version(file: Path, name: str) -> tuple[str, ...]:
    """Return the numbers that `file` gives to ``name_MAJOR``, ``_MINOR`` and so on."""
    pattern = rf"\b{name}_(?:MAJOR|MINOR|MICRO|PATCH)\s+(\d+)"
    return tuple(re.findall(pattern, file.read_text()))


def _python(idf: Path, chip: str) -> Path:
    """Return ESP-IDF's Python; raises ModthreadError where its tools are not in this shell."""
    environment = os.environ.get("IDF_PYTHON_ENV_PATH")
    compiler = COMPILERS[chip]
    if not environment or not shutil.which(compiler):
        missing = compiler if environment else "ESP-IDF's Python"
        raise ModthreadError(
            f"{missing} is not there: run `{idf}/install.sh {chip.lower()}` once,"
            f" and `. {idf}/export.sh` in this shell; {HOW}"
        )
    return Path(environment) / "bin/python"
