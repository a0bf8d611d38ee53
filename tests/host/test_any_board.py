"""Firmware of MicroPython's own boards by their names, without a file of ours."""

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from micropython_tree import define_board

from modthread._base import sources
from modthread._boards import boards, catalogue
from modthread._boards.boards import Board
from modthread._firmware import build, image
from modthread.device import Device
from modthread.errors import ModthreadError

HERE = sources.micropython_at_hand()
pytestmark = pytest.mark.skipif(not HERE, reason="MicroPython's sources are not there yet")

ONE = "SPARKFUN_PROMICRO"
SIZES = {  # of the flash, in MiB
    "ADAFRUIT_FEATHER_RP2040": 8,
    "ADAFRUIT_ITSYBITSY_RP2040": 8,
    "ADAFRUIT_QTPY_RP2040": 8,
    "MACHDYNE_WERKZEUG": 1,
    "NULLBITS_BIT_C_PRO": 4,
    "PIMORONI_PICOLIPO-FLASH_16M": 16,
    "PIMORONI_TINY2040": 2,
    "POLOLU_ZUMO_2040_ROBOT": 16,
    "WEACTSTUDIO-FLASH_4M": 4,
    "GARATRONIC_PYBSTICK26_RP2040": 1,
    "SEEED_XIAO_RP2040": 2,
    "WAVESHARE_RP2040_ZERO": 2,
    "RPI_PICO2": 4,
    "SPARKFUN_PROMICRO_RP2350": 16,
}


def built(name: str) -> Board:
    """Build the firmware, which is checked then, and return the board."""
    if not boards.is_known(name):
        pytest.skip(f"this MicroPython has no {name}: 1.28 has it")
    board = boards.load(name)
    build.firmware(board)
    return board


@pytest.mark.lane("hours")
@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_firmware_is_built_and_checked(name: str, size: int) -> None:
    elf = image.Elf(built(name).firmware)
    assert image.flash_size(elf) == size << 20
    assert elf.path.with_suffix(".uf2").is_file()


@pytest.mark.lane("long")
def test_a_board_without_a_file_of_ours_runs(tmp_path: Path) -> None:
    """The emulated Pico has no less than this board, whose image it boots as it is."""
    pico, board = boards.load("RPI_PICO"), built(ONE)
    emulated = replace(
        board,
        emulator=pico.emulator,
        firmware_file=pico.firmware_file,
        time_scale=pico.time_scale,
    )
    icount = pico.emulator.test_icount if pico.emulator else None
    script = (
        "import _thread, os\n"
        "lock = _thread.allocate_lock()\n"
        "lock.acquire()\n"
        "_thread.start_new_thread(lock.release, ())\n"
        "print(lock.acquire(True, 5), os.uname().machine)\n"
    )
    with closing(Device(emulated, icount=icount, logs=tmp_path)) as device:
        device.start()
        result = device.run(script, 10)
    assert result.output == b"True SparkFun Pro Micro RP2040 with RP2040\r\n"
    assert board.calls_itself("SparkFun Pro Micro RP2040 with RP2040")


@pytest.mark.lane("hours")
def test_a_folder_outside_micropython_is_built(tmp_path: Path) -> None:
    """Without I2S, where MicroPython lets a board do without."""
    assert HERE
    may_be_off = "#ifndef MICROPY_PY_MACHINE_I2S" in (HERE / "ports/rp2/mpconfigport.h").read_text()
    header = '#define MICROPY_HW_BOARD_NAME "My own board"\n'
    header += "#define MICROPY_HW_FLASH_STORAGE_BYTES (1024 * 1024)\n"
    header += "#define MICROPY_PY_MACHINE_I2S (0)\n" if may_be_off else ""
    define_board(tmp_path / "MY_OWN", "rp2040", "set(PICO_BOARD pico)\n", header)
    elf = image.Elf(built(str(tmp_path / "MY_OWN")).firmware)
    assert ("machine_i2s_type" in elf.by_name) != may_be_off


REFUSED = r"""
    : .no.threads.for              # its chip
    | .needs.lib/                   # a submodule that this MicroPython lacks
    | .needs.ESP-IDF                # which is not there
"""


@pytest.mark.lane("hours")
def test_each_board_is_configured_or_refused_in_a_line() -> None:
    """A build that CMake lets begin is stopped at its first step: only its configuration counts."""
    assert HERE
    configured = []
    for one in catalogue.definitions(HERE):
        for name in [one.name, *(f"{one.name}-{variant}" for variant in one.variants)]:
            try:
                build.configure(boards.load(name))
                configured.append(name)
            except ModthreadError as error:
                assert re.match(f"{name} (?:{REFUSED})", str(error), re.VERBOSE)  # noqa: PT017
    assert {name for name in (ONE, *SIZES) if boards.is_known(name)} <= {*configured}
