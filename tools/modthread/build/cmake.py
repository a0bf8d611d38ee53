"""The common parts of builds of MicroPython's ports with CMake."""

from pathlib import Path

from modthread import project
from modthread.build.job import Run, version

NO_MICROPYTHON_LIB = project.BUILD / "no-micropython-lib"


def manifest(port: Path, micropython: Path) -> list[str]:
    """Return the settings that name the frozen modules.

    They name MicroPython's manifest, or ours, in our folder `port`, if micropython-lib is missing.
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
