"""The commands `run` and `repl`: one script, or a person, on a freshly started board."""

import ast
import re
import signal
import sys
import time
from argparse import Namespace
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from mpremote.commands import do_connect, do_disconnect
from mpremote.main import State
from mpremote.repl import do_repl

from modthread._boards.reservation import Reservation
from modthread._link.session import (
    BoardError,
    BoardResetError,
    LineLostError,
    Result,
    TimeLimitError,
)
from modthread._reports import deadlock, tracebacks
from modthread._reports.tracebacks import STDIN, STRING, LineEnds, Script
from modthread.device import Device
from modthread.errors import ModthreadError

EXIT_EXCEPTION = 1
EXIT_CRASH = 3
EXIT_INTERRUPTED = 130
LOOK_AGAIN = 0.2  # seconds

# The raw REPL does not say how a script exited. This code does, at the price of a copy of
# the script in the board's memory. Only scripts that mention exiting are sent this way.
MENTIONS_EXIT = re.compile(r"\b(exit|SystemExit)\b")
EXIT_WRAPPER = """\
class ScriptExit(Exception): pass
try: exec({source!r})
except SystemExit as e: raise ScriptExit(repr(e.args[0] if e.args else None))
"""


@dataclass(frozen=True)
class Ending:
    """How a script ended, in a word, and the exit status for that."""

    verdict: str
    status: int


PASSED = Ending("passed", 0)
EXCEPTION = Ending("exception", EXIT_EXCEPTION)
CRASH = Ending("crash", EXIT_CRASH)
TIMEOUT = Ending("timeout", EXIT_CRASH)
INTERRUPTED = Ending("interrupted", EXIT_INTERRUPTED)


def run(device: Device, script: Script, timeout: float | None) -> Ending:
    """Run `script` on a board that has been started, output shown live; return how it ended.

    Blocks until the script ends, at most `timeout` seconds (None: for ever).
    """
    output = LiveOutput(script)
    try:
        result = device.run(_sent(script), timeout, output)
        output.finish()
        return _ending(result, script)
    except KeyboardInterrupt:
        _show_where(device, script, output)
        return INTERRUPTED
    except TimeLimitError:
        output.end_line()
        print_error(f"no end after {timeout:g} s")
        _show_where(device, script, output)
        return TIMEOUT
    except (BoardResetError, LineLostError) as error:
        output.end_line()
        print_error(str(error))
        if crash := device.crash_report(error.output):
            print(crash, file=sys.stderr)
        return CRASH


def repl(device: Device) -> int:
    """Open mpremote's prompt on a board that has been started, and return the exit status.

    Where a board on a port goes, the prompt comes back with it.
    """
    port = device.release_port()
    while _prompt(port):
        if device.emulator:
            print_error(device.emulator.cause_of_death() or "the emulator's port has gone")
            return EXIT_CRASH
        print_error("the board has gone; waiting for it until Ctrl-C")
        port = device.come_back()
    return 0


def _prompt(port: str) -> bool:
    """Be mpremote's prompt until the user leaves it; return whether the board has gone instead."""
    state = State()
    do_connect(state, Namespace(device=[port]))
    nothing = {"capture": None, "inject_code": None, "inject_file": None}
    try:
        return bool(do_repl(state, Namespace(escape_non_printable=False, **nothing)))
    except OSError:
        return True
    finally:
        with suppress(OSError):
            do_disconnect(state)


def lend(device: Device) -> int:
    """Print the port of a board that has been started, and keep it for other programs.

    Blocks until SIGTERM or KeyboardInterrupt, or until the emulator ends; returns the exit status.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    port = device.release_port()
    with closing(Reservation(port)):
        print(port, flush=True)
        print_error(f"{device.board.name} is there for other programs until Ctrl-C")
        try:
            while device.emulator is None or (cause := device.emulator.cause_of_death()) is None:
                time.sleep(LOOK_AGAIN)
        except KeyboardInterrupt:
            return 0
    print_error(cause)
    return EXIT_CRASH


class LiveOutput:
    """Writes what a board prints to stdout as it comes, thread tracebacks with host lines.

    Other bytes pass unchanged, except that MicroPython's line ends become the host's.
    """

    FRAME_START = b'  File "'

    def __init__(self, script: Script) -> None:
        self._script = script
        self._ends = LineEnds()
        self._held = b""
        self._inside_line = False

    def __call__(self, data: bytes) -> None:
        """Write `data`, except an unfinished line that may become a frame of a traceback."""
        *lines, last = (self._held + self._ends(data)).split(b"\n")
        for line in lines:
            self._write_line(line)
        may_be_frame = self.FRAME_START.startswith(last) or last.startswith(self.FRAME_START)
        if self._inside_line or not may_be_frame:
            self._write(last)
            self._inside_line |= len(last) > 0
            last = b""
        self._held = last
        sys.stdout.flush()

    def finish(self) -> None:
        """Write what was held back."""
        self._write(self._held + self._ends.rest())
        self._held = b""
        sys.stdout.flush()

    def end_line(self) -> None:
        """Write what was held back and start a new line, for what does not come from the board."""
        self.finish()
        if self._inside_line:
            self(b"\n")

    def _write_line(self, line: bytes) -> None:
        line += b"\n"
        if not self._inside_line and line.startswith(self.FRAME_START):
            line = self._script.translated(line.decode(errors="replace")).encode()
        self._write(line)
        self._inside_line = False

    def _write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)


def read(path: Path) -> Script:
    """Read the script to run; raises ModthreadError where there is none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ModthreadError(f"{path}: {reason}; name a Python script") from None
    return Script(path, text, STRING if MENTIONS_EXIT.search(text) else STDIN)


def _sent(script: Script) -> str:
    return EXIT_WRAPPER.format(source=script.text) if script.sent_as == STRING else script.text


def _ending(result: Result, script: Script) -> Ending:
    """Show the traceback, if any, and return how the script ended."""
    traceback = tracebacks.text(result.error)
    *_, last = traceback.splitlines() or [""]
    if last.startswith("ScriptExit: "):
        status = _exit_status(last.removeprefix("ScriptExit: "))
        return Ending("exit", status) if status else PASSED
    if traceback:
        print(script.translated(traceback).rstrip(), file=sys.stderr)
        return EXCEPTION
    if result.exited:  # a module that the script imports did it
        print_error("SystemExit ended the script; with what status, is not known")
        return EXCEPTION
    return PASSED


def _exit_status(code: str) -> int:
    """Return what CPython would make of the `repr` of SystemExit's argument."""
    try:
        value = ast.literal_eval(code)
    except (SyntaxError, ValueError):
        value = code
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    print(value, file=sys.stderr)
    return EXIT_EXCEPTION


def _show_where(device: Device, script: Script, output: LiveOutput) -> None:
    """Interrupt the script and show where it was and what its threads did."""
    try:
        result = device.interrupt(output)
        output.end_line()
        print(script.translated(tracebacks.text(result.error)).rstrip(), file=sys.stderr)
        threads = device.threads()
    except BoardError as error:
        print_error(f"Ctrl-C got no answer: {error}")
    else:
        if len(threads) > 1:
            print(tracebacks.thread_table(threads), file=sys.stderr)
            print(tracebacks.thread_places(threads, script), file=sys.stderr)
            for line in deadlock.waits(threads) + deadlock.deadlocks(threads):
                print(line, file=sys.stderr)


def save_timeline(device: Device, path: Path) -> None:
    """Write what the threads did; tell the user if there is nothing to write."""
    try:
        timeline = device.timeline()
        if timeline is None:
            print_error("no timeline: nothing was recorded")
        else:
            timeline.save(path)
    except BoardError as error:
        print_error(f"no timeline: {error}")
    except OSError as error:
        raise ModthreadError(f"{path}: {error.strerror}; name another file") from None


def print_error(message: str) -> None:
    """Tell the user what is wrong."""
    print(f"modthread: {message}", file=sys.stderr)
