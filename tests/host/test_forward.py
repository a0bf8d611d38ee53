"""Ports of the host that are those of an emulated board."""

import socket
from pathlib import Path

import pytest

from modthread._boards import boards
from modthread._emulators.forward import Forward, HostPort
from modthread.device import Device
from modthread.errors import ModthreadError

LOOPBACK = "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "forward"), [("8080:80", Forward(80, 8080)), ("80", Forward(80, None))]
)
def test_what_the_option_says(text: str, forward: Forward) -> None:
    assert Forward.parse(text) == forward


@pytest.mark.parametrize("text", ["", "x", "8080:", "0", "65536", "0:80", "-1:80", "1:2:3"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Forward.parse(text)


def test_a_port_is_taken_once() -> None:
    first, second = HostPort(Forward(80)), HostPort(Forward(80))
    assert first.number != second.number
    with pytest.raises(ModthreadError, match=f"port {first.number} of this host is in use; "):
        HostPort(Forward(80, first.number))
    number = first.number
    first.close()
    HostPort(Forward(80, number)).close()
    second.close()


def test_an_emulator_listens_where_the_port_is_taken() -> None:
    port = HostPort(Forward(80))
    with (
        socket.create_server((LOOPBACK, port.number)) as server,  # it sets SO_REUSEADDR
        socket.create_connection(server.getsockname()),
    ):
        server.accept()[0].close()
    port.close()


@pytest.mark.parametrize(
    ("board", "port", "message"),
    [
        ("RPI_PICO", None, "RPI_PICO has no network that this host could reach; leave out --f"),
        ("RPI_PICO", "/dev/ttyACM0", "/dev/ttyACM0 is a board on a network of its own; --forw"),
    ],
)
def test_what_cannot_be_reached(board: str, port: str | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModthreadError, match=message):
        Device(boards.load(board), port, logs=tmp_path, forwards=[Forward(80)])
