"""The context switch of ports/rp2/freertos_v9 at every instruction: context_switch/main.c."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from modthread import sources
from modthread.project import ROOT

pytestmark = pytest.mark.lane("long")

IMAGE = Path(__file__).with_name("context_switch")
PORT = ROOT / "ports/rp2"

PASSED = 'passed: !"a task\'s function has returned"'

Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return a function that builds the image; it may replace text in a file of the port."""
    micropython = sources.micropython("pico-sdk")
    sdk = sources.pico_sdk() or micropython / "lib/pico-sdk"
    directory = tmp_path_factory.mktemp("context-switch")
    port = directory / "port"
    settings = [
        f"-DPICO_SDK_PATH={sdk}",
        f"-DFREERTOS_KERNEL_PATH={micropython / 'ports/cc3200/FreeRTOS/Source'}",
        f"-DPORT={port}",
    ]

    def build(preemptions: int, file: str = "", good: str = "", bad: str = "") -> Path:
        # As files of now: or what has been compiled would be newer.
        shutil.copytree(PORT, port, copy_function=shutil.copy, dirs_exist_ok=True)
        if file:
            source = (port / file).read_text()
            assert source.count(good) == 1
            (port / file).write_text(source.replace(good, bad))
        variables = [*settings, f"-DPREEMPTIONS={preemptions}"]
        output_of(["cmake", "-S", IMAGE, "-B", directory, *variables])
        output_of(["cmake", "--build", directory, "--parallel"])
        return directory / "context_switch.hex"

    return build


def output_of(command: list[str | Path]) -> str:
    result = subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def emulate(image: Path, limit: float) -> list[str]:
    """Return the lines that `image` prints until it stops, or for `limit` seconds."""
    command = [sys.executable, "-u", "-m", "rp2040py", "run", "--gdb-port=0", f"--image={image}"]
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as emulator:
        timer = threading.Timer(limit, emulator.kill)
        timer.start()
        assert emulator.stdout
        for line in emulator.stdout:
            lines.append(line.rstrip())
            if line.startswith(("passed: ", "failed: ")):
                break
        timer.cancel()
        emulator.kill()
    return lines


def test_nothing_is_disturbed(build: Build) -> None:
    preemptions = 1_000_000
    lines = emulate(build(preemptions), 60 + preemptions / 1000)
    assert lines[-1] == PASSED, "\n".join(lines)
    values = {
        name: int(value) for name, _, value in (line.partition(": ") for line in lines[-5:-1])
    }
    assert values["preemptions"] >= preemptions
    assert values["rounds"] >= preemptions / 10
    assert values["interrupted"] == values["instructions"] > 300


@pytest.mark.parametrize(
    ("file", "good", "bad", "verdict"),
    [
        ("freertos_v9/port.c", "mov r4, r8 ", "mov r4, r9 ", "a register was disturbed"),
        ("freertos_v9/port.c", "mov r11, r7 ", "mov r10, r7 ", "a register was disturbed"),
        ("freertos_v9/port.c", "sub r0, #16", "sub r0, #20", ""),
        ("freertos_v9/port.c", "*)top - 1", "*)(top + 1) - 1", "a task's stack is not aligned"),
        (
            "freertos_v9/port.c",
            "if (--critical_nesting == 0)",
            "if (--critical_nesting <= 1)",
            "an inner",
        ),
        ("freertos_v9/port.c", "(critical_state)", "(0)", "a critical section's end unmasked"),
        ("freertos_v9/port.c", '"cpsid i                \\n"', "", "the observer does not run"),
        (
            "tick.c",
            "next_us += US_PER_TICK",
            "next_us = time_us_64() + US_PER_TICK",
            "ticks were lost",
        ),
    ],
)
def test_fault_is_noticed(build: Build, file: str, good: str, bad: str, verdict: str) -> None:
    preemptions = 20_000
    lines = emulate(build(preemptions, file, good, bad), 60 + preemptions / 1000)
    assert lines[-1].startswith(f"failed: {verdict}"), "\n".join(lines)
