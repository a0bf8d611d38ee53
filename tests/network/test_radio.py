"""Threads beside the radio of an emulated Pico W, and real clients on the host."""

import re
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from modthread._base.project import ROOT
from modthread._link.session import Result
from modthread.device import Device

pytestmark = [pytest.mark.boards("RPI_PICO_W"), pytest.mark.lane("long")]

LIMIT = 60.0  # seconds of a board at full speed
REQUESTS = 200
PERIOD = 10  # ms
HOST = "host.localhost"  # what the emulated network calls the host
JOIN = """
import _thread, gc, network, socket, sys, time
radio = network.WLAN(network.STA_IF)
radio.active(True)
if not radio.isconnected():
    radio.connect('RP2040PY-GUEST')
while not radio.isconnected():
    time.sleep_ms(10)
"""
NOBODY = "10.0.0.77"  # an address on the board's network that no one has


def run(device: Device, source: str) -> str:
    """Run a script after joining the network; returns what it printed."""
    result = device.run(JOIN + source, LIMIT * device.board.time_scale)
    assert not result.error, result.error.decode()
    return result.output.decode().replace("\r\n", "\n")


def get(device: Device, path: str) -> bytes:
    """Return what the board's web server answers to a client on the host."""
    assert device.emulator
    url = f"http://{device.emulator.forwarded[80]}{path}"
    with urllib.request.urlopen(url, timeout=LIMIT * device.board.time_scale) as answer:
        return bytes(answer.read())


def interrupted(
    device: Device, source: str, ready: bytes, then: Callable[[], None], limit: float = LIMIT
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
            device.session.send(b"\x03")

    result = device.run(source, limit * device.board.time_scale, consume)
    assert called, said
    return result


@contextmanager
def service(answer: bytes) -> Iterator[int]:
    """Serve on the host, in a thread: who asks gets `answer`, and the connection ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(1)
                    client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_scan_connect_address_and_name(device: Device) -> None:
    with service(b"from the host") as port:
        said = run(
            device,
            f"""
for name, bssid, channel, rssi, security, count in radio.scan():
    print(name, len(bssid), channel, count)
print(radio.ifconfig())
where = socket.getaddrinfo({HOST!r}, {port})[0][-1]
print(where)
peer = socket.socket()
peer.connect(where)
peer.send(b'?')
print(peer.recv(100))
print(peer.recv(100))
try:
    socket.getaddrinfo('no.such.name.invalid', 1)
except OSError as error:
    print('no name', error)
""",
        )
    assert said.splitlines() == [
        "b'RP2040PY-GUEST' 6 6 1",
        "('10.0.0.2', '255.255.255.0', '10.0.0.1', '10.0.0.1')",
        f"('10.0.0.1', {port})",
        "b'from the host'",
        "b''",
        "no name -2",
    ]


# The driver waits with its lock, and other threads want that: they stood still for good.
def test_threads_use_the_radio_while_it_starts(device: Device) -> None:
    said = run(
        device,
        """
import machine
led = machine.Pin('LED', machine.Pin.OUT)
counts = [0, 0, 0]
stop = []
def blink():
    while not stop:
        led.toggle()
        counts[0] += 1
        time.sleep_ms(1)
def ask():
    while not stop:
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.close()
        counts[1] += 1
        time.sleep_ms(1)
def compute():
    while not stop:
        counts[2] += 1
for function in (blink, ask, compute):
    _thread.start_new_thread(function, ())
time.sleep_ms(30)
radio.active(False)
radio.deinit()
before = counts[:]
radio.active(True)
print(len(radio.scan()))
time.sleep_ms(30)
stop.append(1)
print([now > then for now, then in zip(counts, before)])
""",
    )
    assert said == "1\n[True, True, True]\n"


def test_scans_beside_threads_that_allocate(device: Device) -> None:
    said = run(
        device,
        """
stop = []
def allocate():
    while not stop:
        [bytes(20) for _ in range(50)]
def scan():
    try:
        radio.scan()
    except OSError as error:
        busy.append(error.errno)
busy = []
for _ in range(2):
    _thread.start_new_thread(allocate, ())
for _ in range(10):
    _thread.start_new_thread(scan, ())
    try:
        found = radio.scan()
        assert [item[0] for item in found] == [b'RP2040PY-GUEST'], found
    except OSError as error:
        busy.append(error.errno)
    time.sleep_ms(50)
stop.append(1)
print(set(busy) <= {16})
""",
    )
    assert said == "True\n"


COMPUTING = """
taken = [0, 0]
def compute():
    value = 0
    while True:
        value = (value * 3 + 1) & 0xffff
def sample():
    due = time.ticks_ms()
    while True:
        taken[0] += 1
        taken[1] = max(taken[1], time.ticks_diff(time.ticks_ms(), due))
        due = time.ticks_add(due, 10)
        time.sleep_ms(max(0, time.ticks_diff(due, time.ticks_ms())))
def serve():
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('', 80))
    server.listen(4)
    number = 0
    while True:
        client, _ = server.accept()
        line = client.readline()
        while client.readline() not in (b'\\r\\n', b''):
            pass
        number += 1
        passed = time.ticks_diff(time.ticks_ms(), start)
        what = line.split()[1].decode()
        body = '%d %d %d %s %d' % (number, taken[0], taken[1], what, passed)
        client.write('HTTP/1.0 200 OK\\r\\n\\r\\n' + body)
        client.close()
start = time.ticks_ms()
for function in (sample, serve, compute, compute, compute, compute):
    _thread.start_new_thread(function, ())
print('ready')
while True:
    time.sleep(1)
"""


@pytest.mark.lane("hours")  # a request takes a second or two of the host
def test_a_web_server_beside_computing_threads(device: Device) -> None:
    answers: list[list[str]] = []

    def ask() -> None:
        for number in range(1, REQUESTS + 1):
            answers.append(get(device, f"/{number}").decode().split())

    result = interrupted(device, JOIN + COMPUTING, b"ready", ask, 6 * LIMIT)
    assert b"KeyboardInterrupt" in result.error
    numbers = [str(number) for number in range(1, REQUESTS + 1)]
    assert [(answer[0], answer[3]) for answer in answers] == [(n, f"/{n}") for n in numbers]
    samples, late, passed = map(int, (*answers[-1][1:3], answers[-1][4]))
    print(f"{samples} samples in {passed} ms, the latest one {late} ms late")
    assert samples >= 0.9 * passed / PERIOD
    assert late < 10 * PERIOD


def test_the_example(device: Device) -> None:
    pages: list[bytes] = []
    source = (ROOT / "examples/web_server.py").read_text()
    interrupted(device, source, b"until Ctrl-C", lambda: pages.append(get(device, "/")))
    assert re.fullmatch(rb"\d+ samples, the last one is \d+\n", pages[0])


def test_a_socket_that_another_thread_closes(device: Device) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = run(
            device,
            f"""
def close(peer, ms):
    time.sleep_ms(ms)
    peer.close()
peer = socket.socket()
peer.connect(socket.getaddrinfo({HOST!r}, {silent.getsockname()[1]})[0][-1])
for action in (lambda: peer.recv(1), lambda: peer.recv(1), lambda: peer.send(b'x')):
    _thread.start_new_thread(close, (peer, 50))
    try:
        print(action())
    except OSError as error:
        print(error.errno)
    time.sleep_ms(100)
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(1)
peer.bind(('', 1234))
_thread.start_new_thread(close, (peer, 50))
try:
    peer.recv(1)
except OSError as error:
    print(error.errno)
""",
        )
    assert said.splitlines() == ["9", "9", "9", "110"], said


WAITS = {
    "accept": "server = socket.socket()\nserver.bind(('', 80))\nserver.listen(1)\nserver.accept()",
    "recv": "peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\npeer.recv(1)",
    "connect": f"socket.socket().connect(({NOBODY!r}, 1))",
    "getaddrinfo": f"radio.ifconfig(radio.ifconfig()[:3] + ({NOBODY!r},))\n"
    "socket.getaddrinfo('a.name', 1)",
}
WAIT = """
def wait():
    {wait}
{start}
time.sleep_ms(50)
print('ready')
{main}
"""


@pytest.mark.parametrize("end", ["Ctrl-C", "soft reset"])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_ends(device: Device, name: str, end: str) -> None:
    """By Ctrl-C in the main thread, by a soft reset in two others."""
    wait = WAITS[name].replace("\n", "\n    ")
    begin = "" if end == "Ctrl-C" else "_thread.start_new_thread(wait, ())\n" * 2
    main = "wait()" if end == "Ctrl-C" else "time.sleep(1000)"
    source = JOIN + WAIT.format(wait=wait, start=begin, main=main)
    result = interrupted(device, source, b"ready", lambda: time.sleep(2))
    assert b"KeyboardInterrupt" in result.error, result.error.decode()
    assert device.clean_up(), device.why_not_soft
    # What was asked for comes to nobody now.
    assert run(device, "time.sleep_ms(3000)\ngc.collect()\nprint(radio.isconnected())") == "True\n"
