"""Boards of the ESP32 family, through esptool: it resets them, writes, and verifies by MD5."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

from modthread._base import process, project
from modthread._boards.board_choice import Choice
from modthread._boards.boards import EsptoolConfig
from modthread._boards.reservation import Reservation
from modthread._flash.flasher import Flasher, Outcome
from modthread.errors import ModthreadError

BAUDRATE = 460800
# In blocks, as there may be no room for all of it; esp.flash_read() is in MicroPython's modesp.c.
CHECKSUM = """\
import binascii, esp
def checksum(parts):
    crc = 0
    block = memoryview(bytearray(4096))
    for offset, size in parts:
        for end in range(offset, offset + size, 4096):
            data = block[:min(4096, offset + size - end)]
            esp.flash_read(end, data)
            crc = binascii.crc32(data, crc)
    return crc
"""
PERCENT = re.compile(r"^Writing at (0x[0-9a-f]+).*?(\d+(?:\.\d+)?) ?%")
ERROR = re.compile(r"ERROR: (?:A fatal error occurred: )?(.+)")
WRONG_IMAGE = re.compile(r"'(.+)' is not an ESP\S+ image")
WRONG_CHIP = re.compile(r"This chip is (ESP\S+), not")


@dataclass(frozen=True)
class Part:
    """A file that belongs at an offset in flash."""

    offset: int
    path: Path

    @property
    def data(self) -> bytes:
        """Its content."""
        return self.path.read_bytes()


class EsptoolFlasher(Flasher):
    """The image is ESP-IDF's flasher_args.json, or one file with all that belongs in flash."""

    IMAGE = "flasher_args.json"

    @property
    def chip(self) -> str:
        """The chip as MicroPython names it."""
        return self._config.chip

    @property
    def checksum(self) -> int:
        """CRC-32 of all parts."""
        crc = 0
        for part in self._parts:
            crc = crc32(part.data, crc)
        return crc

    def checksum_on_board(self) -> tuple[str, str]:
        """Read the flash with MicroPython's module `esp`."""
        return CHECKSUM, f"checksum({[(part.offset, len(part.data)) for part in self._parts]})"

    @property
    def remedy(self) -> str:
        """What to do where a board does not come back."""
        return "hold BOOT while you press RESET, and run this again"

    def flash(self, port: str | None) -> Outcome:
        """Write the image, if need be."""
        assert self._parts
        port = port or Choice(self.board, "").port()
        assert port is not None
        with closing(Reservation(port, self.wait)) as lock:
            if found := self._running(lock.port):
                return found
            self._write(lock.port)
            return self.verify(lambda: lock.port)

    @property
    def _config(self) -> EsptoolConfig:
        assert self.board.esptool
        return self.board.esptool

    @cached_property
    def _parts(self) -> Sequence[Part]:
        """What to write where; raises ModthreadError for what is not this board's."""
        if self.image.suffix != ".json":
            return [self._checked(Part(self._config.offset, self.image))]
        try:
            arguments = json.loads(self.image.read_text())
            folder = self.image.parent
            files = {int(at, 0): folder / name for at, name in arguments["flash_files"].items()}
            chip = str(arguments["extra_esptool_args"]["chip"])
        except OSError as error:
            raise self._missing(self.image, error) from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModthreadError(f"{self.image} is damaged ({error}); build it again") from None
        if chip.upper() != self.chip:
            raise ModthreadError(
                f"{self.image} is for {chip.upper()}, {self.board.name} needs {self.chip}; "
                "name the right board"
            )
        return [self._checked(Part(offset, files[offset])) for offset in sorted(files)]

    def _checked(self, part: Part) -> Part:
        try:
            part.path.open("rb").close()
        except OSError as error:
            raise self._missing(part.path, error) from None
        return part

    def _missing(self, path: Path, error: OSError) -> ModthreadError:
        build = project.command("firmware", self.board.name)
        return ModthreadError(
            f"{path}: {error.strerror}; build it with {build}, or name another file"
        )

    def _running(self, port: str) -> Outcome | None:
        """Return what the board runs where that is the image."""
        with self.session(port) as session:
            if self.machine(session, port):
                return self.up_to_date(session, port)
        return None

    def _write(self, port: str) -> None:
        """Let esptool do it, which says why it cannot."""
        said = []
        with subprocess.Popen(
            process.killed_with_parent() + self._command(port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as esptool:
            for line in _lines(esptool):
                self.log.note(line)
                said.append(line)
                if match := PERCENT.search(line):
                    self.show(f"writing at {match[1]} {match[2]}%")
                elif line.startswith("Connecting"):
                    self.show("waiting for the chip's boot loader")
        if esptool.returncode != 0:
            raise self._failure(port, said)

    def _command(self, port: str) -> list[str]:
        files = [word for part in self._parts for word in (hex(part.offset), str(part.path))]
        stub = [] if self._config.stub else ["--no-stub"]
        chip = ["--chip", self.chip.lower(), "--port", port, "--baud", str(BAUDRATE)]
        return [sys.executable, "-m", "esptool", *chip, *stub, "write-flash", *files]

    def _failure(self, port: str, said: list[str]) -> ModthreadError:
        failed = [match[1] for line in said if (match := ERROR.match(line))]
        reason = (failed or said[-1:] or ["it said nothing"])[0].rstrip(".!")
        if match := WRONG_CHIP.search(reason):
            return ModthreadError(
                f"{port} is an {match[1]}, {self.board.name} needs {self.chip}; "
                "nothing was written; name the right board or port"
            )
        if match := WRONG_IMAGE.search(reason):
            return ModthreadError(
                f"{match[1]} is not for {self.chip}; nothing was written; name the right file"
            )
        return ModthreadError(f"esptool failed on {port}: {reason}; {self.remedy}")


def _lines(esptool: "subprocess.Popen[str]") -> Iterator[str]:
    """Yield what esptool prints, each state of its progress a line."""
    for text in esptool.stdout or ():
        yield from filter(None, map(str.strip, text.split("\r")))
