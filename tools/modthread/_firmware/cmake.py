"""The common parts of builds of MicroPython's ports with CMake."""

import re
from pathlib import Path

from modthread._base import project, sources
from modthread._boards import catalogue
from modthread._boards.boards import Board
from modthread._firmware.job import Run, version
from modthread.errors import ModthreadError

NO_MICROPYTHON_LIB = project.BUILD / "no-micropython-lib"
REQUIRED = re.compile(r"""^\s*require\(\s*["']([\w.-]+)["']""", re.MULTILINE)


def names(micropython: Path, board: Board) -> list[str]:
    """Return the settings that name the board, its folder outside MicroPython, and its variant."""
    settings = [f"-DMICROPY_BOARD={board.micropython_name}"]
    if folder := folder_outside(micropython, board):
        settings.append(f"-DMICROPY_BOARD_DIR={folder}")
    if board.variant:
        settings.append(f"-DMICROPY_BOARD_VARIANT={board.variant}")
    return settings


def folder_outside(micropython: Path, board: Board) -> Path | None:
    """Return the folder of the board's definition where that is not MicroPython's own."""
    folder = board.definition.folder if board.definition else None
    inside = folder and folder.is_relative_to(micropython / "ports")
    return None if inside else folder


def micropython_lib(micropython: Path, board: Board) -> list[str]:
    """Return the setting that names micropython-lib, or what stands in for it where it is missing.

    That has the packages which the manifests of the port and of the board require, each empty.
    """
    if (micropython / "lib/micropython-lib/README.md").is_file():
        return []
    manifests = [micropython / "ports" / board.port / "boards/manifest.py"]
    if board.definition:
        manifests.append(board.definition.folder / "manifest.py")
    for path in filter(Path.is_file, manifests):
        for name in REQUIRED.findall(path.read_text()):
            package = NO_MICROPYTHON_LIB / "micropython" / name
            package.mkdir(parents=True, exist_ok=True)
            (package / "manifest.py").touch()
    NO_MICROPYTHON_LIB.mkdir(parents=True, exist_ok=True)
    (NO_MICROPYTHON_LIB / "README.md").touch()  # MicroPython's build looks for it
    return [f"-DMICROPY_LIB_DIR={NO_MICROPYTHON_LIB}"]


def micropython_for(board: Board, *submodules: str) -> Path:
    """Return MicroPython's source tree with all that `board` needs: see ``sources.micropython``.

    `submodules` are those pins that each board of its port needs. What the board needs beyond them
    git fetches, unless ``MICROPY_DIR`` is set. Blocks; raises ModthreadError, which says how to
    get what is missing.
    """
    tree = sources.micropython()
    needed = board.definition.submodules(board.variant) if board.definition else []
    missing = board.definition and catalogue.missing(tree, board.definition, board.variant)
    if not missing:
        return sources.micropython(*submodules)
    lacks = f"{board.name} needs {', '.join(missing)} of MicroPython"
    if tree != sources.pinned("micropython").tree:
        command = f"make -C {tree}/ports/{board.port} BOARD={board.micropython_name} submodules"
        raise ModthreadError(f"{lacks}; run: {command}")
    of_port = [f"lib/{name}" for name in (*submodules, "micropython-lib")]
    try:
        return sources.micropython_with_submodules(sorted({*of_port, *needed}))
    except ModthreadError as error:
        raise ModthreadError(f"{lacks}; {error} with its submodules") from None


def configure(build: Path, settings: list[str], run: Run) -> str:
    """Run CMake if it has not run for this version, and return its output.

    If CMake's own files have changed, the build itself runs CMake again.
    """
    record = build / "version.txt"
    if record.is_file() and record.read_text() == version():
        return ""
    record.unlink(missing_ok=True)
    said = run(["cmake", *settings, f"-DMODTHREAD_VERSION={version()}"])
    record.write_text(version())
    return said
