"""The main program recurses as deep as on the same firmware without threads."""

from dataclasses import replace

import pytest
from console import Console, booted

from modthread._firmware import build
from modthread.device import Device

DEPTHS = """
def call():
    global depth
    depth += 1
    call()
def sort(_=0):
    global depth
    depth += 1
    sorted([1, 2], key=sort)
for function in (call, sort):
    depth = 0
    try:
        function()
    except RuntimeError as error:
        print(error, depth)
"""


def depths(console: Console) -> list[int]:
    lines = console.run(DEPTHS).splitlines()
    assert all(line.startswith("maximum recursion depth exceeded ") for line in lines), lines
    return [int(line.split()[-1]) for line in lines]


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.lane("long")
def test_as_deep_as_without_threads(console: Console, device: Device) -> None:
    firmware = build.firmware(device.board, build.Threads.NONE)
    without_threads = replace(device.board, name=firmware.parent.name)
    with booted(without_threads, None, "main_depth_without_threads") as other:
        without = depths(other)
    with_threads = depths(console)
    assert len(with_threads) == 2
    assert all(a >= b for a, b in zip(with_threads, without, strict=True)), (
        f"depths {with_threads}, without threads {without}"
    )
