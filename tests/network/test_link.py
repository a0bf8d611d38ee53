"""A cable that is pulled out and plugged in again."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from online import Online, service

from modthread.device import Device

pytestmark = pytest.mark.boards("MPS2_AN385")

NO_ROUTE = 113  # EHOSTUNREACH
Cable = Callable[[bool], None]


def read_to_prompt(monitor: socket.socket) -> None:
    while not monitor.recv(4096).endswith(b"(qemu) "):
        pass


@pytest.fixture
def cable(device: Device, tmp_path: Path) -> Iterator[tuple[Online, Cable]]:
    """A board of its own, and what pulls its cable out and plugs it in: QEMU's monitor."""
    config = device.board.emulator
    assert config
    assert device.emulator
    where = tmp_path / "monitor"
    command = list(config.command)
    command[command.index("-monitor") + 1] = f"unix:{where},server=on,wait=off"
    board = replace(device.board, emulator=replace(config, command=tuple(command)))
    other = Device(board, None, config.icount, tmp_path)

    def plug(is_in: bool) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(where))
            monitor.settimeout(30)
            read_to_prompt(monitor)
            monitor.sendall(b"set_link lan9118.0 %s\n" % (b"on" if is_in else b"off"))
            read_to_prompt(monitor)

    device.emulator.pause()
    try:
        other.start()
        yield Online(other), plug
    finally:
        other.close()
        device.emulator.resume()


def out_and_in(online: Online, plug: Cable, source: str, between: Callable[[], object]) -> bytes:
    """Run `source`: when it says `out?` and `in?`, the cable is; calls `between` before that."""
    said = bytearray()
    asked: list[tuple[bytes, bool]] = [(b"out?", False), (b"in?", True)]

    def consume(data: bytes) -> None:
        said.extend(data)
        while asked and asked[0][0] in said:
            _, is_in = asked.pop(0)
            if is_in:
                between()
            plug(is_in)

    result = online.device.run(online.network.join + source, online.limit(), consume)
    assert not result.error, result.error.decode()
    return bytes(said).replace(b"\r\n", b"\n")


def test_who_waits_goes_on_when_the_link_is_back(cable: tuple[Online, Cable]) -> None:
    online, plug = cable
    pulled = threading.Event()

    def send_while_out(client: socket.socket) -> None:
        pulled.wait(60)
        client.sendall(b"sent meanwhile")
        client.recv(1)

    with service(send_while_out) as port:
        source = f"""
peer = socket.socket()
peer.connect(({online.network.host!r}, {port}))
server = socket.socket()
server.bind(('', 80))
server.listen(1)
received = []
def receive():
    received.append(peer.recv(100))
_thread.start_new_thread(receive, ())
_thread.start_new_thread(server.accept, ())
print(interface.status(), interface.isconnected())
print('out?')
while interface.isconnected():
    time.sleep_ms(1)
print(interface.status(), interface.active(), received)
try:
    socket.socket().connect(({online.network.host!r}, {port}))
except OSError as error:
    print(error.errno)
print('in?')
while not received:
    time.sleep_ms(1)
print(interface.status(), interface.isconnected(), interface.ifconfig()[0], received)
print([row[1] for row in _thread._threads()].count('waiting'))
"""
        said = out_and_in(online, plug, source, pulled.set)
    assert said.decode().splitlines() == [
        "3 True",
        "out?",
        "0 True []",
        str(NO_ROUTE),
        "in?",
        "3 True 10.0.2.15 [b'sent meanwhile']",
        "1",
    ]


@pytest.mark.lane("long")
def test_an_address_comes_with_the_first_link(cable: tuple[Online, Cable]) -> None:
    """Switched on without a cable, the interface asks for its address when there is one."""
    online, plug = cable
    source = """
print('out?')
while interface.isconnected():
    time.sleep_ms(1)
interface.active(False)
interface.active(True)
time.sleep_ms(100)
print(interface.status(), interface.ifconfig()[0])
print('in?')
while not interface.isconnected():
    time.sleep_ms(1)
print(interface.status(), interface.ifconfig()[0])
"""
    said = out_and_in(online, plug, source, lambda: None)
    assert said.decode().splitlines() == ["out?", "0 0.0.0.0", "in?", "3 10.0.2.15"]
