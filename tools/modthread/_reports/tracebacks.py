"""The board's messages, told in terms of the host's files."""

import re
from dataclasses import dataclass
from pathlib import Path

STDIN = "<stdin>"  # how MicroPython names what came through the raw REPL
STRING = "<string>"  # and what exec() was given
MAIN = 1  # the main thread's identifier
# What _thread prints before the traceback, and what it and threading do.
DIED_UNHANDLED = "Unhandled exception in thread started by "
THREAD_DIED = re.compile(rf"^(?:{DIED_UNHANDLED}|Exception in thread .+:$)", re.MULTILINE)

_FRAME = re.compile(r'  File "([^"]+)", line (\d+)(?:, in (\S+))?')


@dataclass(frozen=True)
class Frame:
    """One place in a traceback: the file as shown, the line's number, and its text if known."""

    path: str
    line: int
    function: str
    text: str | None = None

    @property
    def source(self) -> list[str]:
        """The line as it is shown below the place."""
        return [f"    {self.text}"] if self.text is not None else []


@dataclass(frozen=True)
class Script:
    """A host file whose lines run on the board under the name `sent_as`, numbers unchanged."""

    path: Path
    text: str
    sent_as: str = STDIN

    def frame(self, line: str) -> Frame | None:
        """Return the place that `line` of a traceback names, None if the harness has added it.

        A place in a module has its source, too, if the module's file lies beside the script.
        """
        match = _FRAME.match(line)
        if not match:
            return None
        name, number, function = match[1], int(match[2]), match[3] or "<module>"
        if name == self.sent_as:
            path, lines = self.path, _lines(self.text)
        elif name in (STDIN, STRING):
            return None
        else:
            path = self.path.parent / name.lstrip("/")
            lines = _lines(path.read_text(errors="replace")) if path.is_file() else []
        if number <= len(lines):
            return Frame(shown(path), number, function, lines[number - 1].strip())
        return None if name == self.sent_as else Frame(name, number, function)

    def translated(self, text: str) -> str:
        """Return `text` with the frames of its tracebacks as places in the file, with source.

        Frames of what the harness added to the script are left out.
        """
        lines = []
        for line in text.replace("\r\n", "\n").split("\n"):
            if frame := self.frame(line):
                lines.append(f'  File "{frame.path}", line {frame.line}, in {frame.function}')
                lines += frame.source
            elif not _FRAME.match(line):
                lines.append(line)
        return "\n".join(lines)

    def failure(self, traceback: str) -> str:
        """Return a traceback as pytest writes a short one: places first, then the exception."""
        ending = [
            f"E   {line}"
            for line in traceback.splitlines()
            if not _FRAME.match(line) and not line.startswith("Traceback (most recent")
        ]
        return "\n".join([*self.places(traceback), *ending])

    def places(self, traceback: str) -> list[str]:
        """Return the places of a traceback as pytest writes them, with their source."""
        frames = [frame for line in traceback.splitlines() if (frame := self.frame(line))]
        return [
            line
            for frame in frames
            for line in (f"{frame.path}:{frame.line}: in {frame.function}", *frame.source)
        ]


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def text(data: bytes) -> str:
    """Return what the board printed as text; bytes that are not UTF-8 are shown as escapes."""
    return data.decode(errors="backslashreplace").replace("\r\n", "\n")


def last_line(traceback: bytes) -> str:
    """Return the line of a traceback that names the exception."""
    return text(traceback).rstrip().rpartition("\n")[2]


class LineEnds:
    """Makes MicroPython's line ends the host's, also where the halves of one come apart."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, data: bytes) -> bytes:
        """Return `data` and what was held back, but hold back half of a line's end."""
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        return data.removesuffix(self._held).replace(b"\r\n", b"\n")

    def rest(self) -> bytes:
        """Return what was held back: nothing follows."""
        rest, self._held = self._held, b""
        return rest


def shown(path: Path) -> str:
    """Return a path as it is shown: relative to the current directory where it is below it."""
    path, here = path.resolve(), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@dataclass(frozen=True)
class Thread:
    """A thread of the board: identifier, state, size and use of its stack, what it runs, where.

    `function` is its name instead, where `threading` has given it one. `waits_for` is the type of
    what it waits for, `address` where that is, `owner` the thread that has it.
    """

    ident: int
    state: str
    stack: int
    used: int
    function: str
    traceback: str = ""
    waits_for: str = ""
    address: int = 0
    owner: int | None = None


def who(thread: Thread) -> str:
    """Return how a thread is called in a sentence."""
    return "main" if thread.ident == MAIN else f"thread {thread.ident} ({thread.function})"


def thread_table(threads: list[Thread]) -> str:
    """Return a table of threads, one a line."""
    rows = [f"{'thread':>12}  {'state':8}{'stack':>8}{'used':>8}  function"]
    rows += [
        f"{thread.ident:>12}  {thread.state:8}{thread.stack:8}{thread.used:8}  {thread.function}"
        for thread in threads
    ]
    return "\n".join(rows)


def thread_places(threads: list[Thread], script: Script) -> str:
    """Return where each thread but the main one was, as far as the board has told."""
    lines = []
    for thread in threads:
        if thread.ident != MAIN:
            places = script.places(thread.traceback) or [
                "(in no Python function, or without an answer)"
            ]
            lines += [f"thread {thread.ident}, {thread.function}:", *places]
    return "\n".join(lines)
