"""Where things are in the checkout, and what pyproject.toml pins."""

import fcntl
import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from modthread.errors import ModthreadError

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"


@cache
def pyproject() -> dict[str, Any]:
    """Return pyproject.toml as a dictionary; raises ModthreadError outside a checkout."""
    try:
        return tomllib.loads((ROOT / "pyproject.toml").read_text())
    except OSError as error:
        raise ModthreadError(
            f"{error.filename}: {error.strerror}; run modthread from its git checkout"
        ) from None


def version() -> str:
    """Return this project's version, for example ``0.1.0``."""
    return str(pyproject()["project"]["version"])


def settings() -> dict[str, Any]:
    """Return pyproject.toml's ``tool.modthread`` table."""
    settings: dict[str, Any] = pyproject()["tool"]["modthread"]
    return settings


def directory_from_environment(name: str, marker: str) -> Path | None:
    """Return the directory that environment variable `name` gives, or None where it is unset.

    `marker` is a file that must be there; raises ModthreadError where it is not.
    """
    value = os.environ.get(name)
    if not value:
        return None
    path = Path(value).expanduser().resolve()
    if not (path / marker).is_file():
        raise ModthreadError(f"{name}={value} has no {marker}; correct it, or unset {name}")
    return path


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Create `directory` and hold it for this process; blocks while another one holds it.

    Trouble with the disk inside the block becomes a ModthreadError.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            _lock(descriptor, directory)
            yield
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ModthreadError(
            f"{error.filename or directory}: {error.strerror}; mend that and try again"
        ) from None


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"Waiting for another modthread to leave {directory} ...", file=sys.stderr)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
