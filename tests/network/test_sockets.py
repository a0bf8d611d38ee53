"""Sockets and threads, with real peers on this host."""

import re
import socket
import struct
import threading

import pytest
from online import Online, digest_lines, pause, send_digest, service

from modthread._base.project import ROOT

pytestmark = [
    pytest.mark.boards("MPS2_AN385", "RPI_PICO_W"),
    pytest.mark.lane("long", "RPI_PICO_W"),
]

REQUESTS = 200
PERIOD = 10  # ms
EBADF, ETIMEDOUT = "9", "110"


def answer(client: socket.socket) -> None:
    """Say one thing to who asks, and end the connection."""
    client.recv(1)
    client.sendall(b"from the host")


def test_addresses_connect_and_a_name_that_is_none(online: Online) -> None:
    with service(answer) as port:
        said = online.run(f"""
print(interface.ifconfig()[:3])
where = socket.getaddrinfo({online.network.host!r}, {port})[0][-1]
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
""")
    ours, host = online.network.address, online.network.host
    assert said.splitlines() == [
        f"('{ours}', '255.255.255.0', '{host}')",
        f"('{host}', {port})",
        "b'from the host'",
        "b''",
        "no name -2",
    ]


def test_nobody_listens(online: Online) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        said = online.run(f"""
try:
    socket.socket().connect(({online.network.host!r}, {closed.getsockname()[1]}))
except OSError as error:
    print(error.errno)
""")
    assert said == "104\n"


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
    print('ready')
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
while True:
    time.sleep(1)
"""


@pytest.mark.lane("long")
@pytest.mark.lane("hours", "RPI_PICO_W")  # a request takes a second or two of the host
def test_a_web_server_beside_computing_threads(online: Online) -> None:
    answers: list[list[str]] = []

    def ask() -> None:
        for number in range(1, REQUESTS + 1):
            answers.append(online.get(f"/{number}").decode().split())

    result = online.interrupted(COMPUTING, b"ready", ask, 360)
    assert b"KeyboardInterrupt" in result.error
    numbers = [str(number) for number in range(1, REQUESTS + 1)]
    assert [(answer[0], answer[3]) for answer in answers] == [(n, f"/{n}") for n in numbers]
    samples, late, passed = map(int, (*answers[-1][1:3], answers[-1][4]))
    print(f"{samples} samples in {passed} ms, the latest one {late} ms late")
    assert samples >= 0.9 * passed / PERIOD
    assert late < 10 * PERIOD


def test_the_example(online: Online) -> None:
    pages: list[bytes] = []
    source = (ROOT / "examples/web_server.py").read_text()
    online.interrupted(source, b"until Ctrl-C", lambda: pages.append(online.get("/")))
    assert re.fullmatch(rb"\d+ samples, the last one is \d+\n", pages[0])


SIZE = 100_000


def test_two_downloads_beside_a_thread_that_allocates(online: Online) -> None:
    with service(lambda client: send_digest(client, SIZE)) as port:
        said = online.run(f"""
import hashlib
stop, sums = [], {{}}
def allocate():
    while not stop:
        [bytes(20) for _ in range(50)]
def fetch(seed):
    peer = socket.socket()
    peer.connect(({online.network.host!r}, {port}))
    peer.send(seed)
    total, digest = 0, hashlib.sha256()
    while part := peer.recv(1000):
        digest.update(part)
        total += len(part)
    peer.close()
    sums[seed] = total, digest.digest().hex()
_thread.start_new_thread(allocate, ())
for seed in (b'a', b'b'):
    _thread.start_new_thread(fetch, (seed,))
while len(sums) < 2:
    time.sleep_ms(1)
stop.append(1)
for seed in sorted(sums):
    print(*sums[seed])
""")
    assert said.splitlines() == digest_lines(SIZE, b"a", b"b")


def test_a_socket_that_another_thread_closes(online: Online) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = online.run(f"""
def close(peer, ms):
    time.sleep_ms(ms)
    peer.close()
peer = socket.socket()
peer.connect(({online.network.host!r}, {silent.getsockname()[1]}))
for action in (lambda: peer.recv(1), lambda: peer.recv(1), lambda: peer.send(b'x')):
    _thread.start_new_thread(close, (peer, 50))
    try:
        print(action())
    except OSError as error:
        print(error.errno)
    time.sleep_ms(100)
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(0.2)
peer.bind(('', 1234))
_thread.start_new_thread(close, (peer, 50))
try:
    peer.recv(1)
except OSError as error:
    print(error.errno)
""")
    assert said.splitlines() == [EBADF, EBADF, EBADF, ETIMEDOUT], said


WAITS = {
    "accept": "server = socket.socket()\nserver.bind(('', 80))\nserver.listen(1)\nserver.accept()",
    "recv": "peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\npeer.recv(1)",
    "connect": "socket.socket().connect((NOBODY, 1))",
    "getaddrinfo": "interface.ifconfig(interface.ifconfig()[:3] + (NOBODY,))\n"
    "socket.getaddrinfo('no.answer', 1)",
}
WAIT = """
NOBODY = {nobody!r}
def wait():
    {wait}
{start}
time.sleep_ms(50)
print('ready')
{main}
"""


@pytest.mark.parametrize("end", ["Ctrl-C", "soft reset"])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_ends(online: Online, name: str, end: str) -> None:
    """By Ctrl-C in the main thread, by a soft reset in two others."""
    wait = WAITS[name].replace("\n", "\n    ")
    begin = "" if end == "Ctrl-C" else "_thread.start_new_thread(wait, ())\n" * 2
    main = "wait()" if end == "Ctrl-C" else "time.sleep(1000)"
    source = WAIT.format(nobody=online.network.nobody, wait=wait, start=begin, main=main)
    result = online.interrupted(source, b"ready", pause(online.network.wait))
    assert b"KeyboardInterrupt" in result.error, result.error.decode()
    assert online.device.clean_up(), online.device.why_not_soft
    # What was asked for comes to nobody now.
    milliseconds = int(1000 * online.network.wait)
    then = f"time.sleep_ms({milliseconds})\ngc.collect()\nprint(interface.isconnected())"
    assert online.run(then) == "True\n"


@pytest.mark.lane("long")
def test_soft_resets_lose_no_socket(online: Online) -> None:
    """Each board has room for some; 200 soft resets use it up many times."""
    with service(lambda client: client.recv(1)) as port:
        for number in range(200):
            said = online.run(f"""
listener = socket.socket()
listener.bind(('', 80))
listener.listen(2)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('', 1000))
peer = socket.socket()
peer.connect(({online.network.host!r}, {port}))
_thread.start_new_thread(peer.recv, (1,))
_thread.start_new_thread(listener.accept, ())
print({number})
""")
            assert said == f"{number}\n"
            assert online.device.clean_up(), online.device.why_not_soft


A, IN = 1, 1  # RFC 1035, 3.2


def test_a_name_from_a_server_of_this_host(online: Online) -> None:
    """Only who may have port 53 can play the server of names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind(("127.0.0.1", 53))
        except OSError as error:
            pytest.skip(f"port 53 of this host: {error.strerror}")
        server.settimeout(60)

        def serve() -> None:
            query, who = server.recvfrom(512)
            header = query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0)
            record = struct.pack(">HHHIH", 0xC00C, A, IN, 60, 4) + socket.inet_aton("10.9.8.7")
            server.sendto(header + query[12:] + record, who)

        thread = threading.Thread(target=serve)
        thread.start()
        said = online.run(f"""
interface.ifconfig(interface.ifconfig()[:3] + ({online.network.host!r},))
print(socket.getaddrinfo('a.name', 80)[0][-1])
""")
        thread.join()
    assert said == "('10.9.8.7', 80)\n"
