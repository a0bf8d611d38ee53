"""What is common to builds of MicroPython's ports with CMake."""

from pathlib import Path

from modthread import project
from modthread.build.job import Run, version

NO_MICROPYTHON_LIB = project.BUILD / "no-micropython-lib"


def manifest(port: Path, micropython: Path) -> list[str]:
    """Return what names the frozen modules: MicroPython's, or ours where micropython-lib lacks.

    Ours is the one in `port`, a folder of ours.
    """
    if (micropython / "lib/micropython-lib/README.md").is_file():
        return []
    NO_MICROPYTHON_LIB.mkdir(parents=True, exist_ok=True)
    (NO_MICROPYTHON_LIB / "README.md").touch()  # MicroPython's build looks for it
    return [
        f"-DMICROPY_FROZEN_MANIFEST={port / 'manifest.py'}",
        f"-DMICROPY_LIB_DIR={NO_MICROPYTHON_LIB}",
    ]


def configure(build: Path, settings: list[str], run: Run) -> str:
    """Run CMake, and return what it says, where it has not run for this version.

    Where its own files have changed, the build runs it again.
    """
    record = build / "version.txt"
    if record.is_file() and record.read_text() == version():
        return ""
    record.unlink(missing_ok=True)
    said = run(["cmake", *settings, f"-DMODTHREAD_VERSION={version()}"])
    record.write_text(version())
    return said
