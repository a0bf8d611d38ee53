"""The console fixture."""

from collections.abc import Iterator

import pytest
from console import Console, booted

from modthread.device import Device


@pytest.fixture
def console(device: Device, request: pytest.FixtureRequest) -> Iterator[Console]:
    """The prompt of a freshly booted board: an emulated one of its own beside `device`."""
    if device.emulator is None:
        pytest.skip("needs a board that is emulated")
    icount = request.config.getoption("--icount")
    device.emulator.pause()
    try:
        with booted(device.board, icount, request.node.nodeid) as console:
            yield console
    finally:
        device.emulator.resume()
