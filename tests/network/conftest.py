"""Boards on the network, for the tests of this folder."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from online import Online

from modthread._emulators.forward import Forward
from modthread.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def start() -> "Iterator[Callable[[Device], Device]]":
    """Return a function that starts one more board of the kind, with the time of the host.

    On the board of the other tests time goes on to the next event at once. It would not wait for
    what is beyond the network.
    """
    started: dict[str, Device] = {}
    with ExitStack() as running:

        def start_(device: Device) -> Device:
            name, config = device.board.name, device.board.emulator
            assert config
            if name not in started or started[name].dead:
                logs = device.log.path.parent
                started[name] = Device(
                    device.board, None, config.icount, logs, forwards=[Forward(80)]
                )
                running.callback(started[name].close)
                started[name].start()
            return started[name]

        yield start_


@pytest.fixture
def online(
    device: Device, start: "Callable[[Device], Device]", request: pytest.FixtureRequest
) -> Iterator[Online]:
    """The board, on the network."""
    if device.emulator and device.emulator.forwarded:
        yield Online(device)
        return
    assert device.emulator
    device.emulator.pause()
    try:
        other = start(device)
        other.log_to(f"{request.node.nodeid}-network")
        other.clean_up()
        yield Online(other)
    finally:
        device.emulator.resume()
