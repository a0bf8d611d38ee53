"""The one module that talks to a board: mpremote's serial transport, bounded and logged."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from modthread._boards.boards import BOTH_RAISED, SerialConfig
from modthread._link.line import BoardError, Line, LineLostError, TimeLimitError
from modthread._link.traffic import TrafficLog
from modthread._reports import crash

__all__ = ["BoardError", "BoardResetError", "LineLostError", "Result", "Session", "TimeLimitError"]

OUTPUT_KEPT = 1 << 20  # bytes of a script's output that are kept, its end
EOF = b"\x04"
BANNER = re.compile(rb'MicroPython v[^\r\n]+\r\nType "help\(\)" for more information.\r\n(>>> )?$')
# For ask(): `modthread` is its version, None in a firmware without it, or without any threads.
MODTHREAD = """\
try: from _thread import __version__ as modthread
except ImportError: modthread = None
"""

# For prepare(), in a namespace of its own. With modthread/console.c in its firmware the board
# quotes the bytes that the raw REPL uses, and the output of threads waits for the raw REPL.
PREPARE = """
try:
    import _thread
    _thread._interrupt_notes()
    quotes = _thread._quote_output()
except (ImportError, AttributeError): quotes = False
print('\\n<<%r>>' % quotes)
"""
QUOTE = b"\x10"
QUOTED_BIT = 0x40
QUOTED = re.compile(QUOTE + b"(.)", re.DOTALL)
# modthread/console.c takes that for a start without boot.py, any other firmware for a soft reset.
SKIP_BOOT_FILES = b"\x03" * 10 + b"\x04"
# A program that swallows Ctrl-C in a loop is between two of its "try" now and then.
FLOOD = b"\x03" * 3000
CHUNK = 256  # bytes of a script that a board takes at once
CHUNK_PAUSE = 0.01  # seconds

Consumer = Callable[[bytes], None]


class BoardResetError(BoardError):
    """The board started afresh while a script ran."""


@dataclass(frozen=True)
class Result:
    """How a script ended: its output (the last part if long) and its traceback, if any.

    `exited` tells that SystemExit ended it, which MicroPython answers with a soft reset.
    """

    output: bytes
    error: bytes
    exited: bool = False


class Session:
    """A conversation with the board on one port. Limits are in seconds, None is unlimited.

    Every method blocks at most for its limit and then raises TimeLimitError; LineLostError is
    raised when the port goes away.
    """

    def __init__(self, port: str, log: TrafficLog, config: SerialConfig = BOTH_RAISED) -> None:
        """Open `port`, any pyserial URL; raises ModthreadError that says why it cannot."""
        self.port = port
        self._line = Line(port, log, config)
        self._transport = _Transport(port, self._line)
        self._quotes: bool | None = None  # None: not asked

    @property
    def log(self) -> TrafficLog:
        """Where the raw traffic goes."""
        return self._line.log

    @log.setter
    def log(self, log: TrafficLog) -> None:
        self._line.log = log

    def soft_reset(self, limit: float, boot_files: bool = True) -> None:
        """Interrupt the program, reset softly and wait for the raw REPL.

        mpremote's enter_raw_repl() waits until the board is silent, but threads may print until the
        reset ends them. So this does not use it. Without `boot_files` boot.py does not run, if the
        firmware has modthread. main.py never runs.
        """
        self._quotes = None
        with self._line.limit(limit):
            if boot_files:
                self._line.write(b"\x03\x03\x01\x04")
            else:
                self.interrupt_all(limit)
                self._line.write(SKIP_BOOT_FILES)
            self._line.read_until(b"soft reboot\r\n")
            self._line.read_until(b"raw REPL; CTRL-B to exit\r\n")
            self._transport.in_raw_repl = True

    def prepare(self, limit: float) -> None:
        """Let the output that follows hold any byte, if the board's firmware can do that.

        Byte 4 of a script's output is told from the raw REPL's own, and Ctrl-C notes where all
        threads are. Both hold until the next soft reset.
        """
        with self._line.limit(limit):
            self._write_in_chunks(f"exec({PREPARE!r}, {{'print': print}})")
            self._quotes = b"<<True>>" in self._line.read_until(b">>\r\n")
            for ending in (EOF, EOF, b">"):
                self._line.read_until(ending)
            self._line.unread(b">")

    def run(self, source: str, limit: float | None, consumer: Consumer | None = None) -> Result:
        """Run `source` at the raw REPL; `consumer` gets its output as it comes.

        Raises BoardResetError if the board starts afresh meanwhile. If prepare() has found that the
        firmware cannot quote, byte 4 ends the output, as the raw REPL's protocol says.
        """
        with self._line.limit(limit):
            self.begin(source, limit)
            return self.follow(limit, consumer)

    def begin(self, source: str, limit: float | None) -> None:
        """Start `source` at the raw REPL: the first half of run()."""
        with self._line.limit(limit):
            try:
                self._begin(source)
            except TransportError as error:
                raise BoardError(f"the board did not take the script: {error}") from None

    def follow(self, limit: float | None, consumer: Consumer | None = None) -> Result:
        """Wait for the end of a script that has been started: the second half of run()."""
        with self._line.limit(limit):
            return self._follow(consumer)

    def send(self, data: bytes) -> None:
        """Send input to a script that runs; another thread may be waiting for its end."""
        self._line.write(data)

    def interrupt(self, limit: float, consumer: Consumer | None = None) -> Result:
        """Send Ctrl-C to a running script and return how it ended."""
        with self._line.limit(limit):
            self._line.write(b"\x03")
            return self._follow(consumer)

    def ask(self, expression: str, limit: float, source: str = "") -> str:
        """Return ``repr(expression)`` after `source`, even while other threads print."""
        with self._line.limit(limit):
            self._line.write(f"{source}\nprint('\\n<<%r>>' % ({expression},))".encode() + EOF)
            data = self._line.read_until(b">>\r\n")
        return data.rpartition(b"<<")[2].removesuffix(b">>\r\n").decode(errors="replace")

    def run_short(self, source: str, limit: float) -> Result:
        """Run `source`, even while other threads of the board print: into its output."""
        with self._line.limit(limit):
            self._line.write(source.encode() + EOF)
            return self._follow(None)

    def flood(self, limit: float) -> None:
        """Interrupt a program that swallows Ctrl-C; does not wait for it."""
        with self._line.limit(limit):
            self._line.write(FLOOD)

    def interrupt_all(self, limit: float) -> None:
        """Interrupt whatever runs, without a reset, and wait for the raw REPL."""
        with self._line.limit(limit):
            self._line.write(b"\x03\x03\x01")
            self._line.read_until(b"raw REPL; CTRL-B to exit\r\n")
            self._transport.in_raw_repl = True

    def restart(self, limit: float) -> None:
        """Let the board, which is at the raw REPL, start its main.py afresh; does not wait."""
        with self._line.limit(limit):
            self._line.write(b"\x02\x04")

    def bootloader(self, limit: float) -> None:
        """Tell the board, which is at the raw REPL, to start its bootloader; does not wait."""
        with self._line.limit(limit):
            self._line.write(b"import machine; machine.bootloader()" + EOF)

    def machine_reset(self, limit: float) -> None:
        """Interrupt whatever runs and tell the board to reset itself; does not wait for it."""
        with self._line.limit(limit):
            self._line.write(b"\x03\x03\x01import machine; machine.reset()" + EOF)

    def pulse_reset(self) -> None:
        """Reset a board whose reset pin follows RTS."""
        self._line.pulse_reset()

    def leave(self, limit: float) -> None:
        """Go back from the raw REPL to the friendly prompt, which the board then prints."""
        with self._line.limit(limit):
            self._transport.exit_raw_repl()

    def close(self) -> None:
        """Give the port back; does not block."""
        self._line.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, source: str) -> None:
        """Send a script, after which other threads' output may come only where it waits."""
        if self._quotes is None:
            self._transport.exec_raw_no_follow(source)
        elif self._quotes:
            self._line.write(b"\x05A\x01")
            self._line.read_until(b"R\x01")
            self._transport.raw_paste_write(source.encode())
        else:
            self._write_in_chunks(source)
            self._line.read_until(b"OK")

    def _write_in_chunks(self, source: str) -> None:
        """Send a script without flow control."""
        data = source.encode()
        for start in range(0, len(data), CHUNK):
            self._line.write(data[start : start + CHUNK])
            time.sleep(CHUNK_PAUSE)
        self._line.write(EOF)

    def _follow(self, consumer: Consumer | None) -> Result:
        output = _Output(consumer, quoted=self._quotes is True)
        try:
            self._read_to_eof(output)
            error = _Output(quoted=self._quotes is True)
            self._read_to_eof(error)
            prompt = self._line.read_until(b">")
        except BoardError as board_error:
            board_error.output = bytes(output.data)
            raise
        self._line.unread(b">")  # mpremote looks for the prompt before it sends
        return Result(bytes(output.data), bytes(error.data), b"soft reboot" in prompt)

    def _read_to_eof(self, output: "_Output") -> None:
        while True:
            data, eof, rest = self._line.chunk().partition(EOF)
            output.add(data)
            if eof:
                self._line.unread(rest)
                return
            if BANNER.search(output.data, max(0, len(output.data) - 500)):
                raise BoardResetError(crash.message(output.data) or "the board has reset itself")


class _Output:
    """The last part of what a script prints."""

    def __init__(self, consumer: Consumer | None = None, quoted: bool = False) -> None:
        self.data = bytearray()
        self._consumer = consumer
        self._quoted = quoted
        self._held = b""  # half of a quoted byte

    def add(self, data: bytes) -> None:
        """Add what has come; half of a quoted byte waits for the other one."""
        if self._quoted:
            data = self._held + data
            self._held = data[len(data.removesuffix(QUOTE)) :]
            data = QUOTED.sub(_unquoted, data.removesuffix(QUOTE))
        self.data += data
        if len(self.data) > 2 * OUTPUT_KEPT:
            del self.data[:-OUTPUT_KEPT]
        if self._consumer and data:
            self._consumer(data)


def _unquoted(match: re.Match[bytes]) -> bytes:
    return bytes([match[1][0] ^ QUOTED_BIT])


class _Transport(SerialTransport):  # type: ignore[misc]
    """mpremote's transport on a line that is open already, so that the line bounds it."""

    def __init__(self, port: str, line: Line) -> None:
        self.serial = line
        self.device_name = port
        self.in_raw_repl = False
        self.use_raw_paste = True
        self.mounted = False

    def read_until(self, min_num_bytes: int, ending: bytes, *_: object, **__: object) -> bytes:
        """Wait for `ending` until the line's limit: mpremote's own gives up silently."""
        return self.serial.read_until(ending)
