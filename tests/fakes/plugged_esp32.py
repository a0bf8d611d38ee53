"""A desk with a fake board of the ESP32 family, and the files of a build for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flash_clock import Clock

from modthread import cli

FAKE_ESP32 = Path(__file__).with_name("fake_esp32.py")
BOARD_TOML = """\
description = "a fake"
[esptool]
chip = "ESP32C3"
offset = 0x0
stub = false
"""
MACHINE = "ESP32C3 module with ESP32C3"
ERASED = b"\xff" * 0x40000
APP_OFFSET = 0x10000


def image(chip_number: int, content: bytes) -> bytes:
    """Return what esptool takes for an image: its header names the chip (Firmware Image Format)."""
    head = bytes([0xE9, 1, 2, 0x20, 0, 0, 0, 0, 0xEE, 0, 0, 0, chip_number])
    return head.ljust(24, b"\0") + content


class Desk:
    """A fake board, the files of a build, and how the command is called."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.clock = Clock()
        self.port = folder / "tty0"
        self.board = folder / "boards/C3"
        self.build = folder / "build/C3"
        self.flash_file = folder / "flash"
        self.flash_file.write_bytes(ERASED)
        self._capsys = capsys
        self._process: subprocess.Popen[str] | None = None
        self.board.mkdir(parents=True)
        (self.board / "board.toml").write_text(BOARD_TOML)
        self.build.mkdir(parents=True)
        self.app = image(5, b"modthread 1.2.3\0" + os.urandom(50_000))
        self.files = {0: image(5, b"boot" * 1000), 0x8000: b"table" * 600, APP_OFFSET: self.app}
        self.write_build()

    def write_build(self, chip: str = "esp32c3") -> None:
        for offset, data in self.files.items():
            (self.build / f"{offset:x}.bin").write_bytes(data)
        arguments = {
            "flash_files": {hex(offset): f"{offset:x}.bin" for offset in self.files},
            "extra_esptool_args": {"chip": chip},
        }
        (self.build / "flasher_args.json").write_text(json.dumps(arguments))

    def plug_in(self, start: str = "well", machine: str = MACHINE, **settings: object) -> None:
        self.unplug()
        fakes = {f"FAKE_{name.upper()}": str(value) for name, value in settings.items()}
        fakes |= {"FAKE_FLASH": str(self.flash_file), "FAKE_MACHINE": machine}
        self._process = subprocess.Popen(
            [sys.executable, FAKE_ESP32, start, self.port],
            env=os.environ | fakes,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._process.stdout.readline()

    def unplug(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self.port.unlink(missing_ok=True)

    @property
    def command(self) -> list[str]:
        return ["flash", "--no-build", "--board", str(self.board), "--port", str(self.port)]

    def flash(self, *arguments: object) -> int:
        return cli.main([*self.command, *map(str, arguments)])

    def said(self) -> str:
        return self._capsys.readouterr().out

    def complaint(self, *arguments: object) -> str:
        assert self.flash(*arguments) == 2
        captured = self._capsys.readouterr()
        assert captured.out == ""
        *_, line = captured.err.splitlines()
        assert line.startswith("modthread: ")
        return line.removeprefix("modthread: ")

    def has_all(self) -> bool:
        flash = self.flash_file.read_bytes()
        return all(flash[offset:].startswith(data) for offset, data in self.files.items())
