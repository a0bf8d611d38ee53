"""The same programs print the same on the host, under CPython, and on each board."""

import subprocess
import sys
from pathlib import Path

import pytest

from modthread.device import Device

PROGRAMS = sorted((Path(__file__).parent / "both").glob("*.py"))


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_same_output(device: Device, program: Path) -> None:
    on_host = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=True
    )
    on_board = device.run(program.read_text(), limit=60)
    assert on_board.error == b""
    assert on_board.output.decode().splitlines() == on_host.stdout.splitlines()
