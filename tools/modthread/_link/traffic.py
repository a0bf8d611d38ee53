"""The raw traffic of a serial line, kept as text that a person can read."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from modthread.errors import ModthreadError

SIZE_LIMIT = 8 << 20  # bytes of text; a board that floods must not fill the disk
LINE_LIMIT = 500  # bytes of traffic
TAIL_LINES, TAIL_WIDTH = 50, 200  # what is shown of it with a failure


class TrafficLog:
    """A file with the traffic in lines: seconds, direction, bytes as Python has them.

    ``<`` came from the board, ``>`` went to it, ``#`` is a note of the harness.
    """

    def __init__(self, path: Path) -> None:
        """Prepare; the first line creates the file: who is refused a board has nothing to log."""
        self.path = path
        self._file: TextIO | None = None
        self._closed = False
        self._start = time.monotonic()
        self._size = 0
        self._lock = threading.Lock()  # one thread may send while another one receives
        self._paused = False
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._received = b""
        self._received_at = self._start

    def received(self, data: bytes) -> None:
        """Log bytes that came from the board, in lines as far as they come in lines."""
        with self._lock:
            self._received_at = self._received_at if self._received else time.monotonic()
            self._received += data
            if data.endswith(b"\n") or len(self._received) > LINE_LIMIT:
                self._write_received()

    def sent(self, data: bytes) -> None:
        """Log bytes that went to the board."""
        with self._lock:
            self._write_received()
            self._line(time.monotonic(), ">", repr(data)[1:])

    def note(self, text: str) -> None:
        """Log what the harness does."""
        self._write_received()
        self._line(time.monotonic(), "#", text)

    @contextmanager
    def paused(self, why: str) -> Iterator[None]:
        """Log a note instead of what is sent and received meanwhile."""
        self.note(why)
        self._paused = True
        try:
            yield
        finally:
            self._write_received()
            self._paused = False

    def tail(self) -> str:
        """Return the last lines."""
        self._write_received()
        return "\n".join(self._tail)

    def close(self) -> None:
        """Close the file; what comes later is dropped."""
        self._write_received()
        self._closed = True
        if self._file:
            with suppress(OSError):  # a full disk has been told of
                self._file.close()

    def _write_received(self) -> None:
        if self._received:
            self._line(self._received_at, "<", repr(self._received)[1:])
            self._received = b""

    def _line(self, now: float, mark: str, text: str) -> None:
        if self._paused:
            return
        line = f"{now - self._start:11.6f} {mark} {text}\n"
        self._tail.append(line[:TAIL_WIDTH].rstrip())
        if self._closed or self._size > SIZE_LIMIT:
            return
        self._size += len(line)
        if self._size > SIZE_LIMIT:
            line = "# the rest is not logged\n"
        try:
            self._file = self._file or _created(self.path)
            self._file.write(line)
        except OSError as error:
            raise ModthreadError(
                f"{self.path}: {error.strerror}; the log of the serial line must go there"
            ) from None


def _created(path: Path) -> TextIO:
    """Create the file, with its folder, in place of an older one, which may still be written to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        path.unlink()
    return path.open("w", encoding="utf-8", buffering=1)
