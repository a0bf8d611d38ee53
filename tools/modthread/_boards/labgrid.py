"""Boards of a labgrid farm: a place is acquired and released by labgrid's own client.

The client is a program, not a library here: its Python package replaces pyserial by a fork.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from modthread.errors import ModthreadError

PREFIX = "place:"
CLIENT_LIMIT = 60.0  # seconds
RESOURCE = re.compile(
    r"^Acquired resource .*/NetworkSerialPort/[^/]*:\n((?:  .*\n)+)", re.MULTILINE
)


class Place:
    """An acquired place with a serial port, until it is released.

    One that the user has acquired before is used and left acquired.
    """

    def __init__(self, name: str) -> None:
        """Acquire the place; blocks for seconds. Raises ModthreadError."""
        self._name = name
        self._acquired = False
        result = _client(name, "acquire")
        if result.returncode == 0:
            self._acquired = True
        elif "You have already acquired" not in result.stderr:
            raise ModthreadError(f"place {name}: {_complaint(result)}")
        try:
            self.url = self._url()
        except ModthreadError:
            self.release()
            raise

    def release(self) -> None:
        """Give the place back."""
        if self._acquired:
            _client(self._name, "release")
        self._acquired = False

    def _url(self) -> str:
        shown = _client(self._name, "show").stdout
        found = RESOURCE.search(shown)
        if not found:
            raise ModthreadError(
                f"place {self._name} has no serial port; see labgrid-client -p {self._name} show"
            )
        parameters = ast.literal_eval(found[1].strip())["params"]
        protocol = "socket" if parameters.get("protocol") == "raw" else "rfc2217"
        return f"{protocol}://{parameters['host']}:{parameters['port']}"


@contextmanager
def reached(port: str) -> Iterator[str]:
    """Give the URL of a place's board, and release the place at the end; other ports unchanged."""
    if not port.startswith(PREFIX):
        yield port
        return
    place = Place(port.removeprefix(PREFIX))
    try:
        yield place.url
    finally:
        place.release()


def _client(place: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which("labgrid-client") is None:
        raise ModthreadError("labgrid-client is not installed; pipx install labgrid")
    command: Sequence[str] = ["labgrid-client", "-p", place, *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_LIMIT)
    except subprocess.TimeoutExpired:
        raise ModthreadError(
            f"{' '.join(command)} does not answer; is its coordinator up?"
        ) from None


def _complaint(result: "subprocess.CompletedProcess[str]") -> str:
    *_, last = result.stderr.strip().splitlines() or ["labgrid-client failed without a word"]
    return last.removeprefix("labgrid-client: ").removeprefix("Error: ")
