"""What the board says, told in terms of the host's files."""

import re
from dataclasses import dataclass
from pathlib import Path

STDIN = "<stdin>"  # how MicroPython names what came through the raw REPL
STRING = "<string>"  # and what exec() was given
THREAD_DIED = "Unhandled exception in thread started by"

_FRAME = re.compile(r'  File "(<stdin>|<string>)", line (\d+)(?:, in (\S+))?')


@dataclass(frozen=True)
class Frame:
    """One place in a traceback: the file as shown, the line's number and text."""

    path: str
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class Script:
    """A host file whose lines run on the board under the name `sent_as`, numbers unchanged."""

    path: Path
    text: str
    sent_as: str = STDIN

    @property
    def shown(self) -> str:
        """The path as it is shown: relative to the current directory where it is below it."""
        path, here = self.path.resolve(), Path.cwd()
        return str(path.relative_to(here) if path.is_relative_to(here) else path)

    def frame(self, line: str) -> Frame | None:
        """Return the place that `line` of a traceback names, None where it is not in the file."""
        match = _FRAME.match(line)
        if not match or match[1] != self.sent_as:
            return None
        number, lines = int(match[2]), self.text.rstrip("\n").split("\n")
        if number > len(lines):
            return None
        return Frame(self.shown, number, match[3] or "<module>", lines[number - 1].strip())

    def translated(self, text: str) -> str:
        """Return `text` with the frames of its tracebacks as places in the file, with source.

        Frames of what the harness added to the script are left out.
        """
        lines = []
        for line in text.replace("\r\n", "\n").split("\n"):
            if frame := self.frame(line):
                lines.append(f'  File "{frame.path}", line {frame.line}, in {frame.function}')
                lines.append(f"    {frame.text}")
            elif not _FRAME.match(line):
                lines.append(line)
        return "\n".join(lines)

    def failure(self, traceback: str) -> str:
        """Return a traceback as pytest writes a short one: places first, then the exception."""
        shown = []
        for line in traceback.replace("\r\n", "\n").splitlines():
            if frame := self.frame(line):
                shown += [f"{frame.path}:{frame.line}: in {frame.function}", f"    {frame.text}"]
            elif not _FRAME.match(line) and not line.startswith("Traceback (most recent"):
                shown.append(f"E   {line}")
        return "\n".join(shown)


def text(data: bytes) -> str:
    """Return what the board printed as text; bytes that are not UTF-8 are shown as escapes."""
    return data.decode(errors="backslashreplace").replace("\r\n", "\n")


def thread_table(threads: list[tuple[int, str, int, int]]) -> str:
    """Return a table of threads, one a line, from what Device.threads() gives."""
    rows = [f"{'thread':>12}  {'state':8}{'stack':>8}{'used':>8}"]
    rows += [f"{ident:>12}  {state:8}{size:8}{used:8}" for ident, state, size, used in threads]
    return "\n".join(rows)
