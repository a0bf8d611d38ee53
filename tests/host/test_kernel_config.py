"""The compiler says which settings of somebody's FreeRTOSConfig.h modthread cannot work with."""

import subprocess
from pathlib import Path

import pytest

from modthread._base import sources
from modthread._base.project import ROOT

QEMU = ROOT / "ports/qemu"
CONFIG = """\
#include_next <FreeRTOSConfig.h>
#undef {name}
#define {name} {value}
"""


def complaint(folder: Path, name: str, value: str) -> str:
    """Compile kernel.h where FreeRTOSConfig.h says so; returns what the compiler says."""
    (folder / "FreeRTOSConfig.h").write_text(CONFIG.format(name=name, value=value))
    kernel = sources.micropython() / "ports/cc3200/FreeRTOS/Source"
    folders = [folder, QEMU, kernel / "include", kernel / "portable/GCC/ARM_CM3"]
    compiler = ["arm-none-eabi-gcc", "-fsyntax-only", "-mcpu=cortex-m3", "-mthumb", "-std=gnu99"]
    included = [f"-I{path}" for path in folders]
    command = [*compiler, *included, str(ROOT / "modthread/kernel.h")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("rate", ["((TickType_t)200)", "250", "((TickType_t)1000)"])
def test_tick_rates(rate: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, "configTICK_RATE_HZ", rate) == ""


@pytest.mark.parametrize("rate", ["((TickType_t)100)", "199", "1001", "((TickType_t)10000)"])
def test_tick_rates_that_cannot_be(rate: str, tmp_path: Path) -> None:
    said = complaint(tmp_path, "configTICK_RATE_HZ", rate)
    assert "modthread needs 200 to 1000 ticks a second (configTICK_RATE_HZ)" in said


def test_ticks_of_16_bits(tmp_path: Path) -> None:
    said = complaint(tmp_path, "configUSE_16_BIT_TICKS", "1")
    assert "modthread needs ticks of 32 bits (FreeRTOSConfig.h)" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("configSUPPORT_STATIC_ALLOCATION", "modthread needs static allocation"),
        ("configUSE_TIME_SLICING", "preemption and time slicing"),
        ("INCLUDE_vTaskSuspend", "modthread needs INCLUDE_vTaskSuspend"),
    ],
)
def test_what_must_be_on(name: str, said: str, tmp_path: Path) -> None:
    assert said in complaint(tmp_path, name, "0")
