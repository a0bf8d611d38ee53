"""A board on a network that this host reaches, and what tests do with it."""

import hashlib
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from modthread._link.session import Result
from modthread.device import Device

LIMIT = 60.0  # seconds of a board at full speed


@dataclass(frozen=True)
class Network:
    """What a board's network is like: how it gets there, and addresses as the board sees them."""

    join: str
    address: str
    host: str
    nobody: str  # an address on this network that no one has
    wait: float  # seconds in which the board has surely begun to wait


NETWORKS = {
    "MPS2_AN385": Network(
        join="""\
import _thread, gc, network, socket, sys, time
interface = network.LAN()
interface.active(True)
while not interface.isconnected():
    time.sleep_ms(1)
""",
        address="10.0.2.15",
        host="10.0.2.2",
        nobody="10.0.2.77",
        wait=0.1,
    ),
    "RPI_PICO_W": Network(
        join="""\
import _thread, gc, network, socket, sys, time
interface = network.WLAN(network.STA_IF)
interface.active(True)
if not interface.isconnected():
    interface.connect('RP2040PY-GUEST')
while not interface.isconnected():
    time.sleep_ms(10)
""",
        address="10.0.0.2",
        host="10.0.0.1",
        nobody="10.0.0.77",
        wait=3,
    ),
}


@dataclass(frozen=True)
class Online:
    """A board whose scripts begin on the network."""

    device: Device

    @property
    def network(self) -> Network:
        """The network that it is on."""
        return NETWORKS[self.device.board.name]

    def limit(self, seconds: float = LIMIT) -> float:
        """Return the limit for what takes a board at full speed so long."""
        return seconds * self.device.board.time_scale

    def run(self, source: str) -> str:
        """Run a script; returns what it printed."""
        result = self.device.run(self.network.join + source, self.limit())
        assert not result.error, result.error.decode()
        return result.output.decode().replace("\r\n", "\n")

    def get(self, path: str) -> bytes:
        """Return what the board's web server answers to a client on the host."""
        assert self.device.emulator
        url = f"http://{self.device.emulator.forwarded[80]}{path}"
        with urllib.request.urlopen(url, timeout=self.limit()) as answer:
            return bytes(answer.read())

    def interrupted(
        self, source: str, ready: bytes, then: Callable[[], object], seconds: float = LIMIT
    ) -> Result:
        """Run a script; when it has printed `ready` call `then`, and send Ctrl-C."""
        said = bytearray()
        called = False

        def consume(data: bytes) -> None:
            nonlocal called
            said.extend(data)
            if ready in said and not called:
                called = True
                then()
                self.device.session.send(b"\x03")

        result = self.device.run(self.network.join + source, self.limit(seconds), consume)
        assert called, said
        return result


@contextmanager
def service(handle: Callable[[socket.socket], object]) -> Iterator[int]:
    """Serve on the host, each client in a thread; yields the port."""

    def serve(client: socket.socket) -> None:
        with client:
            handle(client)

    def accept() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def send_digest(client: socket.socket, size: int) -> None:
    """Send so many bytes, which depend on the byte that the client sends first."""
    client.sendall(hashlib.shake_128(client.recv(1)).digest(size))


def digest_lines(size: int, *seeds: bytes) -> list[str]:
    """Return what a client says of each of them: how many bytes came, and their SHA-256."""
    sums = (hashlib.sha256(hashlib.shake_128(seed).digest(size)) for seed in seeds)
    return [f"{size} {one.hexdigest()}" for one in sums]


def pause(seconds: float) -> Callable[[], None]:
    """Return a function that waits: what the board does meanwhile, it does in that time."""
    return lambda: time.sleep(seconds)
