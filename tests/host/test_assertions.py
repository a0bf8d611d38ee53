"""The assertions of MicroPython, the kernel and modthread hold: ports/qemu with DEBUG=1."""

import re
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from modthread._base import project, sources
from modthread._boards import boards
from modthread._boards.boards import Board
from modthread._firmware import build, qemu
from modthread._link.session import BoardResetError, TimeLimitError
from modthread.device import Device

DEVICE_TESTS = project.ROOT / "tests/device"
FILES = (
    "lock_fifo",
    "many_threads",
    "start_failure",
    "gc",
    "callbacks",
    "blocking_io",
    "python_calls",
)
PORTS = ("ports/qemu", "ports/rp2", "ports/esp32")
TOO_URGENT = """\
import machine, sys
machine.mem8[0xE000E400] = 0
print("started")
while True:
    sys.stdin.read(1)
"""


# Where it is defined; what modthread/scheduler.c replaces; what is for firmware without a GIL.
ASK_FOR_THE_MAIN_THREAD = {"py/mpstate.h", "py/scheduler.c", "shared/tinyusb/mp_usbd_runtime.c"}


@pytest.mark.lane("test")  # needs MicroPython's sources
def test_nobody_asks_for_the_main_thread() -> None:
    """mp_thread_is_main_thread() is true in every thread: see docs/design.md, Invariants."""
    micropython = sources.micropython()
    folders = [micropython / name for name in ("py", "shared", "extmod", *PORTS)]
    ours = [project.ROOT / "modthread", project.ROOT / "ports"]
    assert {
        str(path.relative_to(micropython if folder in folders else project.ROOT))
        for folder in folders + ours
        for path in folder.rglob("*.[ch]")
        if "mp_thread_is_main_thread" in path.read_text(errors="replace")
    } == ASK_FOR_THE_MAIN_THREAD


@pytest.fixture(scope="module")
def board() -> Board:
    """The board with a firmware that has assertions."""
    board = boards.load(boards.DEFAULT)
    micropython = sources.micropython()
    directory = project.BUILD / f"{board.name}-debug"
    variables = {
        "BOARD": board.name,
        "MICROPY_DIR": str(micropython),
        "MICROPY_MPYCROSS": str(build.mpy_cross(micropython)),
        "LWIP_DIR": str(sources.lwip()),
        "DEBUG": "1",
    }
    build.make("Building with assertions", qemu.PORT, directory, variables)
    return replace(board, name=directory.name)


@pytest.mark.lane("long")
def test_device_tests_pass_with_assertions(board: Board, tmp_path: Path) -> None:
    assert board.emulator
    table = project.ROOT / f"boards/{boards.DEFAULT}/board.toml"
    folder = tmp_path / boards.DEFAULT
    folder.mkdir()
    text = table.read_text().replace("{firmware}", str(board.image))
    folder.joinpath("board.toml").write_text(text)
    command = [sys.executable, "-m", "pytest", "--no-build", "--board", str(folder)]
    command += [str(DEVICE_TESTS / f"test_{name}.py") for name in FILES]
    command.append(str(project.ROOT / "tests/network/test_sockets.py"))
    result = subprocess.run(command, cwd=project.ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert re.search(r" \d\d+ passed, \d+ deselected in | \d\d+ passed in ", result.stdout)


@pytest.mark.lane("long")
def test_failed_assertion_names_its_place(board: Board, tmp_path: Path) -> None:
    with closing(Device(board, logs=tmp_path)) as device:
        device.log_to("serial")
        device.start()
        # The interrupt of the serial line must not be so urgent: its handler calls the kernel.
        device.session.begin(TOO_URGENT, 10)
        printed = bytearray()
        for _ in range(600):
            with suppress(TimeLimitError):
                device.follow(0.1, printed.extend)
            if b"started" in printed:
                break
        with suppress(BoardResetError):
            for _ in range(30):
                device.session.send(b"x")  # unheeded where the board has not come to its wait yet
                with suppress(TimeLimitError):
                    device.follow(0.1)
    (log,) = tmp_path.glob("serial*")
    assert re.search(
        r"\*\*\* assertion failed at \S*/port.c:\d+ in vPort\w+\(\): ", log.read_text()
    )
