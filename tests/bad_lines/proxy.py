"""A serial line between a board and the harness that can be cut, delayed and disturbed."""

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

READ_SIZE = 4096


def unchanged(data: bytes) -> bytes:
    """Disturb nothing."""
    return data


class Proxy:
    """Relays between the board's port `target` and a pseudo-terminal, whose name is `port`.

    Bytes from the board pass `disturb`. In both directions they take `delay` seconds.
    """

    def __init__(self, target: str, port: Path) -> None:
        """Start to relay; nothing of what the board says while the line is cut is kept."""
        self.port = port
        self.delay = 0.0
        self.disturb: Callable[[bytes], bytes] = unchanged
        self._target = os.open(target, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._target)
        self._line: tuple[int, int] | None = None  # both ends of the pseudo-terminal
        self._lock = threading.Lock()
        self._closing = False
        self.reconnect()
        self._thread = threading.Thread(target=self._relay)
        self._thread.start()

    def cut(self) -> None:
        """Pull the plug: the port is gone."""
        with self._lock:
            if self._line:
                self.port.unlink()
                for end in self._line:
                    os.close(end)
            self._line = None

    def reconnect(self) -> None:
        """Put the plug in: the port is there again, another pseudo-terminal of that name."""
        with self._lock:
            self._line = os.openpty()
            tty.setraw(self._line[1])
            os.set_blocking(self._line[0], False)
            self.port.symlink_to(os.ttyname(self._line[1]))

    def close(self) -> None:
        """Relay no more."""
        self._closing = True
        self._thread.join()
        self.cut()
        os.close(self._target)

    def _relay(self) -> None:
        to_host = b""
        while not self._closing:
            with self._lock:
                to_board = _read(self._line[0]) if self._line else b""
                from_board = _read(self._target) if len(to_host) < READ_SIZE else b""
            if from_board or to_board:
                time.sleep(self.delay)
            elif not to_host:
                time.sleep(0.001)
            os.write(self._target, to_board)
            to_host = self._sent(to_host + self.disturb(from_board))

    def _sent(self, data: bytes) -> bytes:
        """Send as much as fits; return what is left."""
        with self._lock:
            if self._line is None:
                return b""
            try:
                return data[os.write(self._line[0], data) :] if data else b""
            except BlockingIOError:
                return data


def _read(descriptor: int) -> bytes:
    """Return what can be read without waiting."""
    ready, _, _ = select.select([descriptor], [], [], 0)
    return os.read(descriptor, READ_SIZE) if ready else b""
