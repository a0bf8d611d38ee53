"""A serial line on which no call outlasts the limit that is in force."""

import errno
import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import serial
from serial import rfc2217
from serial.tools import list_ports

from modthread._boards.boards import BOTH_RAISED, SerialConfig
from modthread._link.traffic import TrafficLog
from modthread.errors import ModthreadError

POLL = 0.05  # seconds that one read may wait before the limit is looked at again
FROZEN = 1.0  # seconds that no read takes, unless this process or its whole host stood still
BAUDRATE = 115200
TOUCH = 1200  # baud
WITHOUT_NUMBER = re.compile(r"(socket|rfc2217)://(?![^/?#]+:\d+([/?#]|$))")


class BoardError(ModthreadError):
    """The board did not do what was asked; `output` is what the script had printed by then."""

    def __init__(self, message: str, output: bytes = b"") -> None:
        super().__init__(message)
        self.output = output


class TimeLimitError(BoardError):
    """The overall limit of an exchange is used up."""


class LineLostError(BoardError):
    """The port has gone: unplugged, reset, or its emulator has ended."""


class Line:
    """An open port, seen by mpremote as its ``serial``: bounded by `limit` and logged."""

    def __init__(self, port: str, log: TrafficLog, config: SerialConfig = BOTH_RAISED) -> None:
        """Open `port`, any pyserial URL; raises ModthreadError that says why it cannot.

        Opening raises both modem lines. They are then lowered as `config` says.
        """
        self.log = log
        self._serial = _open(port)
        self._lower(config)
        self._unread = b""
        self._deadline = math.inf
        self._stood_still = 0.0

    @contextmanager
    def limit(self, seconds: float | None) -> Iterator[None]:
        """Raise TimeLimitError from any call inside that would last longer; None means no limit.

        If an enclosing limit ends earlier, that one stays in force.
        """
        outer = self._deadline
        if seconds is not None:
            self._deadline = min(outer, self._now() + seconds)
        try:
            yield
        finally:
            self._deadline = outer

    def chunk(self) -> bytes:
        """Wait for data and return all there is, at least one byte."""
        if self._unread:
            unread, self._unread = self._unread, b""
            return unread
        while True:
            self._check()
            started = time.monotonic()
            with _losing_the_line():
                data: bytes = self._serial.read(max(1, self._serial.in_waiting))
            if (took := time.monotonic() - started) > FROZEN:
                self._stood_still += took - POLL
            if data:
                self.log.received(data)
                return data

    def unread(self, data: bytes) -> None:
        """Give back data that the next read shall return first."""
        self._unread = data + self._unread

    def read(self, size: int = 1) -> bytes:
        """Wait for exactly `size` bytes."""
        data = b""
        while len(data) < size:
            data += self.chunk()
        self.unread(data[size:])
        return data[:size]

    def read_until(self, ending: bytes) -> bytes:
        """Wait for `ending` and return everything up to its end."""
        data = bytearray()
        start = 0
        while (found := data.find(ending, start)) < 0:
            start = max(0, len(data) - len(ending))
            data += self.chunk()
        end = found + len(ending)
        self.unread(bytes(data[end:]))
        return bytes(data[:end])

    def write(self, data: bytes) -> None:
        """Send `data`, waiting while the board takes none."""
        self._check()
        self.log.sent(data)
        left = max(0, self._deadline - self._now())
        with _losing_the_line():
            if not isinstance(self._serial, rfc2217.Serial):  # which has a limit of its own: 5 s
                self._serial.write_timeout = None if math.isinf(left) else left
            try:
                self._serial.write(data)
            except serial.SerialTimeoutException:
                raise TimeLimitError("the board takes no more input") from None

    def inWaiting(self) -> int:  # noqa: N802 (mpremote's name for it)
        """Return how many bytes can be read without waiting."""
        self._check()
        with _losing_the_line():
            return len(self._unread) + int(self._serial.in_waiting)

    def pulse_reset(self) -> None:
        """Reset a board whose reset pin follows RTS, as on boards with an ESP32."""
        if not self._serial.is_open:
            raise LineLostError("the port is closed")
        with _losing_the_line():
            self._serial.dtr = False
            self._serial.rts = True
            time.sleep(0.1)
            self._serial.rts = False

    def close(self) -> None:
        """Give the port back; does not block."""
        self._serial.close()

    def _lower(self, config: SerialConfig) -> None:
        """Lower RTS first: DTR low with RTS high resets boards with an ESP32.

        Opening has raised both at once, which does not reset them. pyserial would lower DTR first.
        """
        with suppress(OSError):  # a pseudo-terminal has no such lines
            if not config.rts:
                self._serial.rts = False
            if not config.dtr:
                self._serial.dtr = False

    def _now(self) -> float:
        """Return the time of a clock that stands still while this process does.

        An emulated board may have stood still, too, and its time is yet to come.
        """
        return time.monotonic() - self._stood_still

    def _check(self) -> None:
        if self._now() >= self._deadline:
            raise TimeLimitError("the board did not answer in time")


def touch(port: str) -> None:
    """Open and close `port` at 1200 baud, which tells some firmware to start the bootloader.

    Raises ModthreadError that says why it cannot.
    """
    line = _open(port, TOUCH)
    with suppress(OSError):  # it may go at once
        line.dtr = line.rts = False
    line.close()


@contextmanager
def _losing_the_line() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # pyserial's own errors are OSErrors too
        raise LineLostError(f"the port has gone ({error})") from None


def _open(port: str, baudrate: int = BAUDRATE) -> serial.SerialBase:
    try:
        return serial.serial_for_url(port, baudrate, timeout=POLL, exclusive=True)
    except ValueError as error:
        raise ModthreadError(f"{port} is not a port: {error}") from None
    except OSError as error:
        raise ModthreadError(_why_not_open(port, error)) from None


def _why_not_open(port: str, error: OSError) -> str:
    if WITHOUT_NUMBER.match(port):
        return f"{port} has no port number; write it as in rfc2217://desk:2217"
    if error.errno == errno.ENOENT:
        known = [info.device for info in list_ports.comports()]
        return f"{port}: no such port; connected: {', '.join(known) or 'none'}"
    if error.errno == errno.EACCES:
        return f"{port}: no permission; run sudo usermod -aG dialout $USER and log in again"
    if error.errno in (errno.EBUSY, errno.EAGAIN):
        return f"{port} is in use by another program; close it (fuser {port} tells which)"
    return f"{port} cannot be opened: {error}"
