"""Boards that wait in the boot ROM for firmware: reached by picotool, or through their drive."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modthread._base import process
from modthread._base.progress import Show
from modthread._boards.boards import FlashConfig
from modthread._flash import uf2
from modthread._flash.uf2 import Image
from modthread.errors import ModthreadError

MOUNTS = Path("/proc/mounts")  # Linux; where there is none: macOS
VOLUMES = Path("/Volumes")
LABELS = Path("/dev/disk/by-label")
INFO = "INFO_UF2.TXT"
CHUNK = 32 * uf2.BLOCK.size  # bytes between two looks at the progress
PICOTOOL_LIMIT = 10.0  # seconds that a question may take
GONE_LIMIT = 20.0  # seconds until the boot ROM starts what it was given
POLL = 0.2
HOLD_BOOTSEL = "hold BOOTSEL while you plug it in, and run this again"


@dataclass(frozen=True)
class Waiting:
    """A board in its bootloader; `fits` unless it says that it is of another kind."""

    name: str
    fits: bool
    drive: Path | None = None  # None: reached by picotool


def waiting(flash: FlashConfig) -> list[Waiting]:
    """Return the boards in their bootloaders. Blocks for as long as picotool takes."""
    by_picotool, by_drive = list(_picotool(flash)), list(_drives(flash))
    return by_picotool if len(by_picotool) >= len(by_drive) else by_drive


def unmounted_drive(flash: FlashConfig) -> Path:
    """Return the device of the bootloader's drive as udev names it on Linux."""
    return LABELS / flash.rom.drive


def write(image: Image, flash: FlashConfig, board: Waiting, show: Show) -> None:
    """Write `image` to `board`, which then starts it; `show` gets the progress. Blocks."""
    if board.drive:
        _copy(image, flash, board.drive, show)
    else:
        _load(image, show)


def _picotool(flash: FlashConfig) -> Iterator[Waiting]:
    """Ask picotool, where it is installed and works, for the boards that it can write to."""
    try:
        result = subprocess.run(
            ["picotool", "info", "-d"], capture_output=True, text=True, timeout=PICOTOOL_LIMIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if result.returncode == 0:
        for chip in re.findall(r"^ *type: +(\S+)", result.stdout, re.MULTILINE):
            yield Waiting(f"the {chip} that picotool sees", chip == flash.chip)


def _load(image: Image, show: Show) -> None:
    """Write with picotool, which rewrites one line with the percentage."""
    last = ""
    with subprocess.Popen(
        [*process.killed_with_parent(), "picotool", "load", "-v", "-x", str(image.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as loading:
        for line in loading.stdout or ():
            last = line.strip() or last
            if match := re.match(r"(\w+).*?(\d+%)", line):
                show(f"{match[1].lower()} {match[2]}")
    if loading.returncode != 0:
        raise ModthreadError(f"picotool failed: {last}; run this again, it starts afresh")


def _drives(flash: FlashConfig) -> Iterator[Waiting]:
    for path in _mounted():
        try:
            info = (path / INFO).read_text(errors="replace")
        except OSError:
            continue
        if match := re.search(r"^Board-ID: *(\S+)", info, re.MULTILINE):
            yield Waiting(f"the {match[1]} at {path}", match[1] == flash.rom.drive, path)


def _mounted() -> list[Path]:
    """Return where drives are mounted: on Linux FAT file systems whose device is still there."""
    if not MOUNTS.exists():
        return list(VOLUMES.glob("*"))
    paths = {}
    for line in MOUNTS.read_text().splitlines():
        device, path, kind, *_ = line.split(" ")
        if kind in ("vfat", "msdos") and Path(device).exists():
            paths[device] = Path(re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), path))
    return list(paths.values())


def _copy(image: Image, flash: FlashConfig, drive: Path, show: Show) -> None:
    """Copy to the drive, which goes away when the board has all of it."""
    content = image.path.read_bytes()
    failure = "its drive is still there"
    try:
        _write_through(drive / "restart.uf2", uf2.restart(flash), show)
        _write_through(drive / image.path.name, content, show)
    except OSError as error:  # the drive may be gone before the last byte is acknowledged
        failure = f"{drive}: {error.strerror}"
    deadline = time.monotonic() + GONE_LIMIT
    while drive in _mounted() and (drive / INFO).exists():
        if time.monotonic() > deadline:
            raise ModthreadError(
                f"the board did not take the firmware: {failure}; unplug it, {HOLD_BOOTSEL}"
            )
        time.sleep(POLL)


def _write_through(path: Path, content: bytes, show: Show) -> None:
    with path.open("wb") as file:
        for start in range(0, len(content), CHUNK):
            file.write(content[start : start + CHUNK])
            file.flush()
            os.fsync(file.fileno())
            show(f"copying to {path.parent} {100 * file.tell() // len(content)}%")
