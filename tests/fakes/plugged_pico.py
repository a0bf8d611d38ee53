"""A desk with fake Picos: each is fake_board.py on a pseudo-terminal and, while it is in its
bootloader, a folder that takes a UF2 file as the boot ROM does. /proc/mounts, the list of serial
ports and the clock of flashing are the desk's own.
"""

import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flash_clock import Clock
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread._base import project
from modthread._flash import bootloader, flasher, rp2

FAKE_BOARD = Path(__file__).with_name("fake_board.py")
EXIT_BOOTLOADER = 8  # of fake_board.py
BOARD_TOML = """\
description = "a fake"
[flash]
product = "Raspberry Pi Pico"
chip = "RP2040"
usb = "2e8a:0005"
machines = ["Raspberry Pi Pico"]
"""
INFO = "UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: {}\n"
FAMILY, START = 0xE48BFF56, 0x10000000
MACHINE = "Raspberry Pi Pico with RP2040"
OLD = b"MicroPython, as it comes\0".ljust(1000, b"\xff")
NEW = b"modthread 1.2.3\0" + bytes(range(256)) * 100

# How picotool 2.1.1 writes (main.cpp, `progress_bar` and `load_guts`).
PICOTOOL = """\
#!/bin/sh
echo "$@" >> {desk}/picotool.calls
case $1 in
info)
    if [ ! -e {desk}/in-bootloader ]; then
        echo 'No accessible RP2040/RP2350 devices in BOOTSEL mode were found.'
        exit 249
    fi
    printf 'Device Information\\n type:        {chip}\\n flash size:  2048K\\n'
    printf ' flash id:    0xE66164084373532B\\n'
    ;;
load)
    printf 'Loading into Flash:   [                              ]  0%%\\r'
    printf 'Loading into Flash:   [===============               ]  50%%\\r'
    printf 'Loading into Flash:   [==============================]  100%%\\n'
    {load}
    printf 'Verifying Flash:      [==============================]  100%%\\n  OK\\n'
    printf '\\nThe device was rebooted to start the application.\\n'
    ;;
esac
"""


def uf2(data: bytes, family: int = FAMILY, start: int = START) -> bytes:
    """Return `data` as MicroPython's uf2conv.py would write it."""
    count = -(-len(data) // 256)
    head = struct.Struct("<8I")
    blocks = []
    for number in range(count):
        payload = data[256 * number :][:256].ljust(256, b"\0")
        fields = (0x0A324655, 0x9E5D5157, 0x2000, start + 256 * number, 256, number, count, family)
        block = head.pack(*fields) + payload
        blocks.append(block.ljust(508, b"\0") + struct.pack("<I", 0x0AB16F30))
    return b"".join(blocks)


def padded(data: bytes) -> bytes:
    """Return `data` as it is in flash, in whole blocks."""
    return data.ljust(-(-len(data) // 256) * 256, b"\0")


class FakePico(threading.Thread):
    """A Pico with `flash` in its flash: runs it, and becomes a drive when told to.

    The settings spoil it: `start` as fake_board.py's, or `waiting` in its bootloader; it may be
    another `machine`, have another `board_id`, hide or never give up its drive, and garble or
    reject what it takes; `returns` is how it starts afterwards, or None.
    """

    def __init__(
        self,
        desk: Path,
        port: Path,
        flash: bytes = OLD,
        start: str = "well",
        machine: str = MACHINE,
        board_id: str = "RPI-RP2",
        mounted: bool = True,
        takes: bool = True,
        returns: str | None = "well",
        garbles: bool = False,
        rejects: bool = False,
    ) -> None:
        super().__init__(daemon=True)
        self.desk, self.port, self.flash = desk, port, flash
        self.how, self.machine, self.board_id = start, machine, board_id
        self.mounted, self.takes, self.returns, self.garbles = mounted, takes, returns, garbles
        self.rejects = rejects
        self.drive = desk / f"drive of {port.name}"
        self._device = desk / f"sda-{port.name}"
        self._ended = False
        self._process: subprocess.Popen[str] | None = None
        self._blocks: dict[int, bytes] = {}
        self._block_count = 0
        self._read: dict[Path, int] = {}
        self._up = threading.Event()

    @property
    def blocks_taken(self) -> int:
        return len(self._blocks)

    def is_mounted(self) -> bool:
        """Whether the drive shows, as a host sees it."""
        mounts = (self.desk / "mounts").read_text()
        return str(self._device) in mounts and self._device.exists()

    def plug_in(self) -> None:
        self.start()
        assert self._up.wait(120)

    def unplug(self) -> None:
        self._ended = True
        if self._process:
            self._process.kill()
        self.join()

    def run(self) -> None:
        if self.how == "waiting" or self._application() == EXIT_BOOTLOADER:
            while self._bootloader() and self.returns and self._application() == EXIT_BOOTLOADER:
                pass

    def _application(self) -> int:
        flash = self.desk / f"flash-{self.port.name}"
        flash.write_bytes(self.flash)
        self._process = subprocess.Popen(
            [sys.executable, str(FAKE_BOARD), self.how, str(self.port)],
            env=os.environ | {"FAKE_MACHINE": self.machine, "FAKE_FLASH": str(flash)},
            stdout=subprocess.PIPE,
            text=True,
        )
        with self._process as process:
            if self._ended:
                process.kill()
            assert process.stdout
            process.stdout.readline()
            self._up.set()
        self.port.unlink(missing_ok=True)
        return process.returncode

    def _bootloader(self) -> bool:
        """Show the drive until a whole image is there; return whether one was written."""
        self.drive.mkdir()
        (self.drive / "INFO_UF2.TXT").write_text(INFO.format(self.board_id))
        self._device.touch()
        (self.desk / "in-bootloader").touch()
        if self.mounted:
            path = str(self.drive).replace(" ", "\\040")
            with (self.desk / "mounts").open("a") as mounts:
                mounts.write(f"{self._device} {path} vfat rw,nosuid 0 0\n")
        self._up.set()
        while not self._is_written():
            if self._ended:
                return False
            time.sleep(0.02)
        (self.desk / "in-bootloader").unlink()
        # At once, as a drive goes: the next command may be writing to it already.
        shutil.rmtree(self.drive.rename(self.desk / f"gone {self.drive.name}"))
        self._device.unlink()
        if not self.rejects:
            self.flash = b"".join(self._blocks[number] for number in sorted(self._blocks))
        if self.garbles:
            self.flash = self.flash[:-1] + b"?"
        self.how = self.returns or ""
        return True

    def _is_written(self) -> bool:
        """Take blocks as the boot ROM does: each only once until their number changes."""
        paths = [*self.drive.glob("*.uf2"), *self.desk.glob("picotool.uf2")]
        files = [path for path in paths if path.is_file()]
        for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                while len(block := file.read(512)) == 512:
                    self._read[path] = file.tell()
                    number, count = struct.unpack_from("<II", block, 20)
                    if count != self._block_count:
                        self._blocks, self._block_count = {}, count
                    if number < count:
                        self._blocks.setdefault(number, block[32:288])
        return self.takes and self._block_count == len(self._blocks) > 0


class Desk:
    """The fake boards that are plugged in, and how the command sees them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.board = folder / "boards/PICO"
        self.image = folder / "build/PICO/firmware.uf2"
        self.picos: list[FakePico] = []
        self.usb: dict[Path, tuple[int, int, str]] = {}

    def plug_in(self, name: str = "tty0", usb: str | None = "2e8a:0005", **how: Any) -> FakePico:
        pico = FakePico(self.folder, self.folder / name, **how)
        if usb:
            vendor, product = (int(number, 16) for number in usb.split(":"))
            self.usb[pico.port] = vendor, product, f"E66-{name}"
        self.picos.append(pico)
        pico.plug_in()
        return pico

    def comports(self) -> list[ListPortInfo]:
        infos = []
        for port, (vendor, product, number) in self.usb.items():
            if port.exists():
                info = ListPortInfo(str(port))
                info.vid, info.pid, info.serial_number = vendor, product, number
                infos.append(info)
        return infos

    def install_picotool(self, chip: str = "RP2040", load: str = "") -> None:
        load = load or f'cp "$4" {self.folder}/picotool.uf2; sleep 0.5'
        program = self.folder / "bin/picotool"
        program.write_text(PICOTOOL.format(desk=self.folder, chip=chip, load=load))
        program.chmod(0o755)

    def write_image(self, content: bytes) -> None:
        self.image.parent.mkdir(parents=True, exist_ok=True)
        self.image.write_bytes(content)


@contextmanager
def plugged_pico(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Set up a desk with an image to flash; at its end, everything is unplugged."""
    desk = Desk(tmp_path)
    desk.board.mkdir(parents=True)
    (desk.board / "board.toml").write_text(BOARD_TOML)
    desk.write_image(uf2(NEW))
    for name in ("bin", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "mounts").write_text("proc /proc proc rw 0 0\n/dev/nothing /nowhere vfat rw 0 0\n")
    monkeypatch.setattr(project, "BUILD", tmp_path / "build")
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(bootloader, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(bootloader, "LABELS", tmp_path / "labels")
    monkeypatch.setattr(list_ports, "comports", desk.comports)
    desk.clock.install(monkeypatch, bootloader, flasher, rp2)
    monkeypatch.setattr(rp2, "ANSWER_LIMIT", flasher.ANSWER_LIMIT)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    yield desk
    for pico in desk.picos:
        pico.unplug()
