"""The places of things: modthread's own, the user's, and those of builds.

This module uses only the standard library: it runs before the virtual environment exists.
"""

import fcntl
import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from modthread.errors import ModthreadError

TABLE = "pyproject.toml"
DEVICE_TESTS = ["tests/device"]

INSTALLED = Path(__file__).resolve().parents[1] / "product"
IS_CHECKOUT = not INSTALLED.is_dir()
# modthread's own boards, C sources, ports and pins: in the package, or in its checkout.
ROOT = Path(__file__).resolve().parents[3] if IS_CHECKOUT else INSTALLED


@dataclass(frozen=True)
class UserProject:
    """What ``[tool.modthread]`` in the pyproject.toml in folder `root` says, or the defaults.

    `boards` are as ``--board`` takes them; `device_tests` are folders whose tests run on a board.
    """

    root: Path
    boards: tuple[str, ...]
    device_tests: tuple[Path, ...]


def user_project(root: Path) -> UserProject:
    """Read the section in folder `root`; raises ModthreadError for what it cannot be."""
    table = _section(root) or {}
    ours = {"packages", "developer-packages", "cpython-tests", "sources", "release", "esp-idf"}
    settings = {key: value for key, value in table.items() if key not in ours}
    if unknown := sorted({*settings} - {"boards", "device-tests"}):
        raise ModthreadError(
            f"{root / TABLE}: [tool.modthread] has no {unknown[0]}; it has boards and device-tests"
        )
    for key, value in settings.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ModthreadError(f'{root / TABLE}: {key} is a list, as in {key} = ["..."]')
    boards = (
        str(root / one) if os.path.isdir(root / one) else one  # noqa: PTH112 (Path's may raise)
        for one in table.get("boards", ())
    )
    # Not resolved: pytest does not resolve links either.
    folders = (
        Path(os.path.normpath(root / one)) for one in table.get("device-tests", DEVICE_TESTS)
    )
    return UserProject(root, tuple(boards), tuple(folders))


def around(folder: Path) -> Path | None:
    """Return the nearest folder from `folder` upwards whose pyproject.toml has a section.

    A pyproject.toml that is no TOML belongs to somebody else, and is passed over.
    """
    for one in (folder, *folder.parents):
        with suppress(ModthreadError):
            if _section(one) is not None:
                return one
    return None


def _section(root: Path) -> dict[str, Any] | None:
    tool = (read_toml(root / TABLE) or {}).get("tool")
    section = tool.get("modthread") if isinstance(tool, dict) else None
    return section if isinstance(section, dict) else None


def read_toml(path: Path) -> dict[str, Any] | None:
    """Return what a file says, None where there is none; raises ModthreadError for any other."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ModthreadError(f"{path}: {error.strerror}; make it readable") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise ModthreadError(f"{path}: {error}; correct it") from None


def command(name: str, board: str = "") -> str:
    """Return one of modthread's commands as its user has it: through make in a checkout."""
    if IS_CHECKOUT:
        return f"make {name} BOARD={board}" if board else f"make {name}"
    return f"modthread {name} --board {board}" if board else f"modthread {name}"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modthread"


def _build() -> Path:
    if IS_CHECKOUT:
        return ROOT / "build"
    project = around(Path.cwd())
    return project / "build" if project else _cache() / "build"


BUILD = _build()  # firmware, logs and the like; of the user's project where there is one
SOURCES = BUILD / "sources" if IS_CHECKOUT else _cache() / "sources"


@cache
def pyproject() -> dict[str, Any]:
    """Return modthread's own pyproject.toml as a dictionary."""
    return tomllib.loads((ROOT / TABLE).read_text())


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
