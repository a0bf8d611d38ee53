"""modthread as the user C module of a port that builds with CMake: cmake_port/CMakeLists.txt."""

import dataclasses
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from modthread._base import sources
from modthread._base.project import ROOT
from modthread._boards import boards
from modthread._boards.boards import Board
from modthread._firmware import build
from modthread.device import Device

pytestmark = pytest.mark.lane("long")

PORT = Path(__file__).with_name("cmake_port")

SCRIPT = """\
import _thread, time

def work(name):
    with lock:
        order.append(name)

order = []
lock = _thread.allocate_lock()
lock.acquire()
for name in "ab":
    _thread.start_new_thread(work, (name,))
begin = time.ticks_us()
assert lock.acquire(timeout=0.1) is False
assert time.ticks_diff(time.ticks_us(), begin) >= 100_000
assert order == []
lock.release()
lock.acquire()
print(order, _thread._kernel)
"""


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware, built from nothing."""
    micropython = sources.micropython()
    directory = tmp_path_factory.mktemp("cmake-port")
    variables = {
        "MICROPY_DIR": micropython,
        "USER_C_MODULES": ROOT / "modthread/micropython.cmake",
        "Python3_EXECUTABLE": sys.executable,
    }
    settings = [f"-D{name}={value}" for name, value in variables.items()]
    environment = {name: value for name, value in os.environ.items() if name not in build.FOREIGN}
    environment["MICROPY_MPYCROSS"] = str(build.mpy_cross(micropython))
    output_of(["cmake", "-S", PORT, "-B", directory, *settings], environment)
    output_of(["cmake", "--build", directory, f"--parallel={os.cpu_count()}"], environment)
    return directory / "firmware.elf"


@pytest.fixture
def board(firmware: Path) -> Board:
    """The board with this firmware in its emulator."""
    board = boards.load(boards.DEFAULT)
    assert board.emulator
    command = tuple(part.replace("{firmware}", str(firmware)) for part in board.emulator.command)
    emulator = dataclasses.replace(board.emulator, command=command)
    return dataclasses.replace(board, emulator=emulator)


def output_of(command: list[str | Path], environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_threads_run(board: Board, tmp_path: Path) -> None:
    with closing(Device(board, logs=tmp_path)) as device:
        device.start()
        result = device.run(SCRIPT, 10)
    assert result.error == b""
    assert result.output.startswith(b"['a', 'b'] FreeRTOS V")


def test_modthread_takes_the_place_of_two_files(firmware: Path) -> None:
    listing = output_of(["arm-none-eabi-nm", "--defined-only", "--line-numbers", firmware])
    # CMake may name them by a path from its own folder.
    file_of = {
        name: Path(file).resolve()
        for name, file in re.findall(r"(\w+)\t(.+):\d+$", listing, re.MULTILINE)
    }
    assert file_of["mp_module_thread"] == ROOT / "modthread/modthread.c"
    assert file_of["mp_handle_pending"] == ROOT / "modthread/scheduler.c"
    py = sources.micropython() / "py"
    assert f"{py / 'vm.c'}:" in listing
    assert f"{py / 'modthread.c'}:" not in listing
    assert f"{py / 'scheduler.c'}:" not in listing


def test_vm_is_compiled_without_threads(firmware: Path) -> None:
    code = output_of(["arm-none-eabi-objdump", "--disassemble=mp_execute_bytecode", firmware])
    assert "<mp_handle_pending>" in code
    assert "<mp_thread_" not in code
