"""A board's console as somebody at a terminal has it: a prompt, Ctrl-C, Ctrl-D."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from modthread._base import project
from modthread._boards.boards import Board
from modthread._emulators.emulator import Emulator
from modthread._link.line import Line
from modthread._link.traffic import TrafficLog

PROMPT = b">>> "
LIMIT = 300.0  # seconds: an emulated RPI_PICO on a busy host computes for 2 s in a minute or two


class Console:
    """The friendly prompt of a board; all limits are in seconds, LimitReached beyond them."""

    def __init__(self, line: Line, emulator: Emulator) -> None:
        self._line = line
        self.emulator = emulator

    def send(self, data: bytes) -> None:
        """Type `data`."""
        with self._line.limit(LIMIT):
            self._line.write(data)

    def expect(self, ending: bytes, limit: float = LIMIT) -> str:
        """Wait for `ending`; returns what the board printed before it."""
        with self._line.limit(limit):
            return self._line.read_until(ending).removesuffix(ending).decode()

    def start(self, source: str) -> None:
        """Paste a script and start it."""
        self.send(b"\x05")
        self.expect(b"=== ")
        for line in source.strip().splitlines():
            self.send(line.encode() + b"\r")
            self.expect(b"\r\n=== ")
        self.send(b"\x04")
        self.expect(b"\r\n")

    def run(self, source: str, limit: float = LIMIT) -> str:
        """Paste a script and wait for the prompt; returns what it printed."""
        self.start(source)
        return self.expect(PROMPT, limit)

    def value(self, expression: str) -> Any:
        """Type an expression at the prompt; returns its value."""
        self.send(expression.encode() + b"\r")
        self.expect(b"\r\n")
        return ast.literal_eval(self.expect(PROMPT).strip() or "None")

    def interrupt(self, limit: float = LIMIT) -> str:
        """Type Ctrl-C and wait for the prompt; returns what is printed until then."""
        self.send(b"\x03")
        return self.expect(PROMPT, limit)

    def soft_reset(self, limit: float = LIMIT) -> None:
        """Type Ctrl-D at the prompt and wait for the next one."""
        self.send(b"\x04")
        self.expect(b"MPY: soft reboot\r\n", limit)
        self.expect(PROMPT, limit)


@contextmanager
def booted(board: Board, icount: str | None, test: str) -> Iterator[Console]:
    """Boot the emulated `board` and give its prompt; `test` names the log of the traffic."""
    log = TrafficLog(project.BUILD / "logs" / (re.sub(r"\W+", "_", test) + ".log"))
    emulator = Emulator(board, icount)
    line = Line(emulator.start(), log)
    console = Console(line, emulator)
    try:
        console.send(b"\r")  # the banner may have come before the port was open
        console.expect(PROMPT)
        console.value("1")
        yield console
    finally:
        line.close()
        emulator.stop()
        log.close()
