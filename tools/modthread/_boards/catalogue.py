"""The boards of MicroPython's ports that we have a port for, as MicroPython's folders say it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modthread.errors import ModthreadError

PORTS = ("rp2", "esp32")
# As MicroPython calls a chip in board.json: which of our ports runs on it.
SUPPORTED = {
    "rp2040": "rp2",
    "rp2350": "rp2",
    "esp32": "esp32",
    "esp32s3": "esp32",
    "esp32c3": "esp32",
}
DEFINITION = "mpconfigboard.cmake"
OFFSETS = {"esp32": 0x1000}  # where the boot ROM looks; ESP-IDF: BOOTLOADER_OFFSET_IN_FLASH
USB = "2e8a:0005"  # where mpconfigboard.h says nothing: MicroPython's ports/rp2/mpconfigport.h
# What a board switches on, and the submodule that this needs: MicroPython's ports/rp2.
SUBMODULES = {
    "MICROPY_PY_LWIP": "lib/lwip",
    "MICROPY_PY_NETWORK_CYW43": "lib/cyw43-driver",
    "MICROPY_PY_NETWORK_WIZNET5K": "lib/wiznet5k",
    "MICROPY_BLUETOOTH_BTSTACK": "lib/btstack",
    "MICROPY_BLUETOOTH_NIMBLE": "lib/mynewt-nimble",
}
OFF = ("0", "OFF", "FALSE", "NO")


@dataclass(frozen=True)
class Definition:
    """A board as MicroPython defines it, in `folder`."""

    folder: Path

    @property
    def name(self) -> str:
        """What MICROPY_BOARD is for it."""
        return self.folder.name

    @property
    def product(self) -> str:
        """The maker and the name, as in the shop."""
        vendor = self._string(self._json, "vendor")
        product = self._string(self._json, "product") or self.name
        return product if vendor.lower() in product.lower() else f"{vendor} {product}"

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """What MICROPY_BOARD_VARIANT may be."""
        paths = self.folder.glob("mpconfigvariant_*.cmake")
        return tuple(sorted(path.stem.removeprefix("mpconfigvariant_") for path in paths))

    def mcu(self, variant: str = "") -> str:
        """Return the chip as board.json calls it, or, where that does not say it, as CMake does.

        Of a `variant`, it may be another one: ``rp2350-riscv``. Raises ModthreadError.
        """
        said = self._cmake(variant).get("PICO_PLATFORM") if variant else None
        set_here = self._cmake("")
        mcu = said or self._string(self._json, "mcu") or set_here.get("PICO_PLATFORM")
        mcu = mcu or set_here.get("IDF_TARGET")
        if not mcu:
            raise ModthreadError(
                f"{self.folder} does not say its chip; write it into board.json there, as in"
                ' {"mcu": "rp2040", "product": "My board"}'
            )
        return str(mcu).removesuffix("-arm-s")  # a name of pico-sdk's for what rp2350 is

    @property
    def usb(self) -> str:
        """The USB vendor and product identifiers of MicroPython's ports/rp2 on it."""
        found = dict(re.findall(r"define\s+MICROPY_HW_USB_(VID|PID)\s+\(?0x(\w+)", self._header))
        vendor, product = USB.split(":")
        return f"{found.get('VID', vendor)}:{found.get('PID', product)}".lower()

    @property
    def machines(self) -> tuple[str, ...]:
        """What MicroPython on it calls the board, before the chip; variants may differ."""
        return tuple(re.findall(r'define\s+MICROPY_HW_BOARD_NAME\s+"(.+?)"', self._header))

    @property
    def offset(self) -> int:
        """Where in flash an image with everything begins, on the ESP32 family.

        It follows from the chip, and board.json may say it, too.
        """
        options = self._json.get("deploy_options", {})
        if not isinstance(options, dict):
            raise self._wrong("deploy_options", options)
        said = self._string(options, "flash_offset")
        try:
            return int(said, 0) if said else OFFSETS.get(self.mcu(), 0)
        except ValueError:
            raise self._wrong("flash_offset", said) from None

    def submodules(self, variant: str = "") -> list[str]:
        """Return the submodules of MicroPython that the board needs beside those of its port."""
        said = self._cmake("") | self._cmake(variant)
        return [path for key, path in SUBMODULES.items() if said.get(key, "0").upper() not in OFF]

    def _string(self, table: Mapping[str, Any], key: str) -> str:
        """Return what board.json says, or nothing; raises ModthreadError for what is no string."""
        said = table.get(key, "")
        if not isinstance(said, str):
            raise self._wrong(key, said)
        return said

    def _wrong(self, key: str, said: object) -> ModthreadError:
        return ModthreadError(f"{self.folder}/board.json: {key} cannot be {said!r}; correct it")

    @cached_property
    def _json(self) -> Mapping[str, Any]:
        path = self.folder / "board.json"
        try:
            table = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ModthreadError(f"{path}: {error}; correct it") from None
        if not isinstance(table, dict):
            raise ModthreadError(f"{path} is no table; correct it")
        return table

    @cached_property
    def _header(self) -> str:
        return _text(self.folder / "mpconfigboard.h")

    def _cmake(self, variant: str) -> dict[str, str]:
        """Return what the board's file sets, or the one of the `variant`."""
        name = f"mpconfigvariant_{variant}.cmake" if variant else DEFINITION
        text = _text(self.folder / name)
        return dict(re.findall(r'^\s*set\((\w+)\s+"?([\w.-]+)"?\s*\)', text, re.MULTILINE))


def definitions(micropython: Path) -> list[Definition]:
    """Return the boards that this source tree of MicroPython has, sorted by name."""
    folders = (
        path.parent
        for port in PORTS
        for path in (micropython / "ports" / port / "boards").glob(f"*/{DEFINITION}")
    )
    return [Definition(folder) for folder in sorted(folders, key=lambda folder: folder.name)]


def find(micropython: Path, name: str) -> Definition | None:
    """Return the board of that name, None where this source tree has none."""
    folders = (micropython / "ports" / port / "boards" / name for port in PORTS)
    return next((Definition(folder) for folder in folders if is_definition(folder)), None)


def is_definition(folder: Path) -> bool:
    """Return whether MicroPython could build for what is in `folder`."""
    return (folder / DEFINITION).is_file()


def missing(micropython: Path, board: Definition, variant: str = "") -> list[str]:
    """Return the submodules that `board` needs and this source tree has only as empty folders."""
    return [
        path
        for path in board.submodules(variant)
        if not (micropython / path).is_dir() or not any((micropython / path).iterdir())
    ]


def chip(mcu: str) -> str:
    """Return the chip as MicroPython on it, picotool and esptool call it."""
    return mcu.upper()


def why_not(board: Definition, variant: str = "") -> str | None:
    """Return why threads do not run on a board, None where they do."""
    mcu = board.mcu(variant)
    if mcu not in SUPPORTED:
        return f"no threads for {chip(mcu)} yet, only for {', '.join(map(chip, SUPPORTED))}"
    return None


def obstacle(micropython: Path, board: Definition, variant: str = "") -> str | None:
    """Return why the board cannot be built from this source tree, None where it can."""
    missing_here = missing(micropython, board, variant)
    lacks = f"MicroPython lacks {', '.join(missing_here)}" if missing_here else None
    return why_not(board, variant) or lacks


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
