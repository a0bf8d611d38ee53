"""Ports of the host that are those of an emulated board."""

import errno
import socket
from dataclasses import dataclass

from modthread.errors import ModthreadError

LOOPBACK = "127.0.0.1"
FIRST_FREE = 8000  # port 80 of the board is 8080 of the host, if that is free
PORTS = range(1, 1 << 16)


@dataclass(frozen=True)
class Forward:
    """A port of the `board`, and the port of the `host` for it; None is any that is free."""

    board: int
    host: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Forward":
        """Parse ``8080:80``, or ``80`` for any port of the host; raises ValueError."""
        host, _, board = text.rpartition(":")
        forward = cls(int(board), int(host) if host else None)
        if forward.board not in PORTS or forward.host not in (None, *PORTS):
            raise ValueError
        return forward


class HostPort:
    """A port of the host that nobody else may have until it is closed, but an emulator.

    An emulator listens there, although this socket has the port: on Linux that needs SO_REUSEADDR
    of both. Who has it not, as this socket when it looks for a port, gets no such port.
    """

    def __init__(self, forward: Forward) -> None:
        """Take the port that is named, or one that is free; raises ModthreadError."""
        self._socket = socket.socket()
        if forward.host is None:
            self._take_any(forward.board)
        else:
            self._take(forward.host, forward.board)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    @property
    def number(self) -> int:
        """The port."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Give it back."""
        self._socket.close()

    def _take(self, host: int, board: int) -> None:
        try:
            self._socket.bind((LOOPBACK, host))
        except OSError as error:
            self.close()
            reason = "in use" if error.errno == errno.EADDRINUSE else f"not free: {error.strerror}"
            raise ModthreadError(
                f"port {host} of this host is {reason}; name another one, or only the board's"
                f" port: --forward {board}"
            ) from None

    def _take_any(self, board: int) -> None:
        try:
            self._socket.bind((LOOPBACK, FIRST_FREE + board))
        except (OSError, OverflowError):
            self._socket.bind((LOOPBACK, 0))
