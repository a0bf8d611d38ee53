"""A program that behaves like a MicroPython board on a pseudo-terminal, well or badly.

It answers at the raw REPL, without raw-paste, and runs scripts in CPython with a few ways to
misbehave at hand. Its first argument spoils the start: `silent` never answers, `half` answers
half, `bare` has no threads, `noisy` has one that prints all the time, `stuck` knows no soft reset
until machine.reset(), `deaf` no machine.bootloader(). The second is a link to its port, which goes
with it.

FAKE_MACHINE and FAKE_FLASH in the environment are what os.uname() says and a file with what is in
flash. It exits with status 8 where a real board would start its bootloader.
"""

import _thread
import fcntl
import os
import re
import select
import sys
import termios
import time
import traceback
import tty
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

BANNER = 'MicroPython v0 on 2000-01-01; fake\r\nType "help()" for more information.\r\n>>> '
RAW_BANNER = "raw REPL; CTRL-B to exit\r\n>"
EXIT_DIED = 7
EXIT_BOOTLOADER = 8
FLASH_START = 0x10000000


class Resetting(BaseException):
    """The board starts afresh."""


class FakeBoard:
    """The board's serial line, and what runs behind it."""

    def __init__(self) -> None:
        self.fd, self._other_end = os.openpty()
        self.stuck = sys.argv[1] == "stuck"
        self._globals = self.names()
        tty.setraw(self._other_end)
        port = os.ttyname(self._other_end)
        for link in sys.argv[2:]:
            Path(link).symlink_to(port)
        print(f"char device redirected to {port}", flush=True)

    def write(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        while data:
            data = data[os.write(self.fd, data) :]

    def read(self) -> bytes:
        return os.read(self.fd, 4096)

    def interrupted(self) -> bool:
        return bool(select.select([self.fd], [], [], 0)[0]) and b"\x03" in os.read(self.fd, 1000)

    def repl(self, raw_banner: str) -> None:
        """Answer for ever, starting at the friendly prompt."""
        self.write(BANNER)
        source = b""
        while True:
            for byte in self.read():
                char = bytes([byte])
                if char == b"\x01":
                    source = b""
                    self.write(raw_banner)
                elif char in b"\x02\x03":
                    source = b""
                elif char == b"\x04" and not source.strip() and not self.stuck:
                    self._globals = self.names()
                    self.write("OK\r\nMPY: soft reboot\r\n" + raw_banner)
                elif char == b"\x04":
                    self.write("OK")
                    self.execute(source.decode())
                    source = b""
                else:
                    source += char
                    if source.endswith(b"\x05A\x01"):
                        source = b""
                        self.write(b"R\x00")

    def execute(self, source: str) -> None:
        try:
            exec(compile(source, "<stdin>", "exec"), self._globals)
            error = ""
        except Resetting:
            self.stuck = False
            self.write(BANNER)
            return
        except SystemExit:
            self._globals = self.names()
            self.write("\x04\x04MPY: soft reboot\r\n" + RAW_BANNER)
            return
        except (Exception, KeyboardInterrupt) as exception:
            frames = [
                f'  File "<stdin>", line {frame.lineno}, in {frame.name}\n'
                for frame in traceback.extract_tb(exception.__traceback__)
                if frame.filename == "<stdin>"
            ]
            head = "Traceback (most recent call last):\n"
            error = f"{head}{''.join(frames)}{type(exception).__name__}: {exception}\n"
        self.write("\x04" + error.replace("\n", "\r\n") + "\x04>")

    def names(self) -> dict[str, Callable[..., object]]:
        """Return what scripts find besides Python's builtins."""
        return {
            "print": lambda *values: self.write(" ".join(map(str, values)) + "\r\n"),
            "write": self.write,
            "flood": self.flood,
            "hang": lambda: time.sleep(1000),
            "die": self.die,
            "reset": self.reset,
        }

    def flood(self, deaf: bool = False) -> None:
        """Print for ever, or until Ctrl-C where not `deaf`."""
        while deaf or not self.interrupted():
            self.write(b"flood " * 500 + b"\r\n")
        raise KeyboardInterrupt

    def noise(self) -> None:
        """Print for ever, whatever the raw REPL does: as stock firmware lets its threads do."""
        while True:
            self.write("a thread prints this line\r\n")
            time.sleep(0.001)

    def silence(self) -> None:
        """Answer nothing, but start the bootloader at 1200 baud."""
        while termios.tcgetattr(self.fd)[5] != termios.B1200:
            time.sleep(0.05)
        self.die(EXIT_BOOTLOADER)

    def die(self, status: int = EXIT_DIED) -> None:
        for link in sys.argv[2:]:
            Path(link).unlink()
        time.sleep(0.1)  # what is still in the pseudo-terminal dies with it
        deadline = time.monotonic() + 60
        while status == EXIT_DIED and self.unread() and time.monotonic() < deadline:
            time.sleep(0.01)
        os._exit(status)

    def unread(self) -> int:
        """Return how many bytes the host has not read yet."""
        count = fcntl.ioctl(self._other_end, termios.FIONREAD, bytes(4))
        return int.from_bytes(count, sys.byteorder)

    def reset(self) -> None:
        raise Resetting


def set_up_flash(flash: bytes) -> None:
    """Let scripts read `flash`, and find in it which modthread they run on, if any."""
    sys.modules["uctypes"] = uctypes = ModuleType("uctypes")

    def bytearray_at(address: int, size: int) -> bytes:
        return flash[address - FLASH_START :][:size]

    setattr(uctypes, "bytearray_at", bytearray_at)  # noqa: B010
    set_version(flash)


def set_version(flash: bytes) -> None:
    """Let scripts find in `flash` which modthread they run on, if any."""
    if match := re.search(rb"modthread ([^\0]+)\0", flash):
        setattr(_thread, "__version__", match[1].decode())  # noqa: B010
    elif hasattr(_thread, "__version__"):
        delattr(_thread, "__version__")


def main(board: FakeBoard) -> None:
    """Run for ever as the command line asks."""
    start = sys.argv[1]
    setattr(_thread, "_kernel", "no kernel")  # noqa: B010
    only = (1, "running", 8192, 512, None, None, None)
    setattr(_thread, "_threads", lambda: [only])  # noqa: B010
    setattr(_thread, "_interrupt_notes", list)  # noqa: B010
    sys.modules["machine"] = machine = ModuleType("machine")
    setattr(machine, "reset", board.reset)  # noqa: B010
    if start != "deaf":
        setattr(machine, "bootloader", lambda: board.die(EXIT_BOOTLOADER))  # noqa: B010
    uname = SimpleNamespace(
        machine=os.environ.get("FAKE_MACHINE", "fake"), version=os.uname().version
    )
    setattr(os, "uname", lambda: uname)  # noqa: B010
    if start == "bare":
        sys.modules["_thread"] = None  # type: ignore[assignment]
    if start == "silent":
        board.silence()
    if start == "noisy":
        _thread.start_new_thread(board.noise, ())
    board.repl(RAW_BANNER[: len(RAW_BANNER) // 2] if start == "half" else RAW_BANNER)


if __name__ == "__main__":
    setattr(_thread, "__version__", "fake")  # noqa: B010
    if "FAKE_FLASH" in os.environ:
        set_up_flash(Path(os.environ["FAKE_FLASH"]).read_bytes())
    main(FakeBoard())
