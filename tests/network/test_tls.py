"""TLS beside threads: clients and servers on the board; on the host it is Python's ssl."""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from certificates import NAME, Identity, identity
from online import Online, digest_lines, pause, send_digest, service

pytestmark = [
    pytest.mark.boards("MPS2_AN385", "RPI_PICO_W"),
    pytest.mark.lane("hours", "RPI_PICO_W"),  # a handshake takes it a minute of the host
]

KINDS = ("EC", "RSA")
LONG = [pytest.mark.lane("long"), pytest.mark.lane("hours", "RPI_PICO_W")]
SIZE = 20_000
STACK = 8 * 1024
DATE = (2026, 1, 1, 3, 0, 0, 0, 0)  # within the certificates' time, for a board that asks


@pytest.fixture(scope="module")
def identities() -> dict[str, Identity]:
    return {kind: identity(kind) for kind in KINDS}


@contextmanager
def tls_service(one: Identity, handle: Callable[[ssl.SSLSocket], object]) -> Iterator[int]:
    """Serve TLS on the host, each client in a thread; yields the port."""
    context = one.context(server=True)

    def serve(client: socket.socket) -> None:
        try:
            with context.wrap_socket(client, server_side=True) as connection:
                handle(connection)
        except OSError as error:
            print("the host's end:", error)  # the board's own end is what a test looks at

    with service(serve) as port:
        yield port


def send(connection: ssl.SSLSocket) -> None:
    send_digest(connection, SIZE)


def prelude(online: Online, one: Identity, port: int = 0) -> str:
    return f"""
import hashlib, ssl
try:
    import machine
    machine.RTC().datetime({DATE})
except AttributeError:
    pass
_thread.stack_size({STACK})
certificate, key = {one.certificate!r}, {one.key!r}
def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=certificate)
    return context
def wrap(context, name={NAME!r}):
    peer = socket.socket()
    peer.connect(({online.network.host!r}, {port}))
    return context.wrap_socket(peer, server_hostname=name)
def start(function, *arguments):
    return _thread.start_new_thread(function, arguments)
"""


@pytest.mark.parametrize("kind", ["EC", pytest.param("RSA", marks=LONG)])
def test_two_threads_download_beside_one_that_computes(
    online: Online, identities: dict[str, Identity], kind: str
) -> None:
    one = identities[kind]
    with tls_service(one, send) as port:
        said = online.run(f"""{prelude(online, one, port)}
context, stop, sums = client_context(), [], {{}}
def compute():
    while not stop:
        [bytes(20) for _ in range(50)]
def fetch(seed):
    connection = wrap(context)
    connection.write(seed)
    total, digest = 0, hashlib.sha256()
    while total < {SIZE}:
        part = connection.read(1000)
        digest.update(part)
        total += len(part)
    connection.close()
    sums[seed] = total, digest.digest().hex()
start(compute)
for seed in (b'a', b'b'):
    start(fetch, seed)
while len(sums) < 2:
    time.sleep_ms(1)
stop.append(1)
for seed in sorted(sums):
    print(*sums[seed])
""")
    assert said.splitlines() == digest_lines(SIZE, b"a", b"b")


# Connections of one context have one private key, and RSA changes what belongs to it.
@pytest.mark.parametrize("kind", [pytest.param("EC", marks=LONG), "RSA"])
def test_two_clients_of_a_server_at_once(
    online: Online, identities: dict[str, Identity], kind: str
) -> None:
    one = identities[kind]
    answers: list[bytes] = []

    def ask(number: int) -> None:
        assert online.device.emulator
        host, port = online.device.emulator.forwarded[80].split(":")
        context = one.context(server=False)
        with (
            socket.create_connection((host, int(port)), online.limit()) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as connection,
        ):
            connection.sendall(b"%d\n" % number)
            answers.append(connection.recv(100))

    def ask_twice_at_once() -> None:
        for first in (0, 2):
            clients = [threading.Thread(target=ask, args=(first + n,)) for n in range(2)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()

    source = f"""{prelude(online, one)}
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
def serve(client):
    connection = context.wrap_socket(client, server_side=True)
    connection.write(b'hello ' + connection.readline())
    connection.close()
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(('', 80))
server.listen(4)
print('ready')
while True:
    start(serve, server.accept()[0])
"""
    result = online.interrupted(source, b"ready", ask_twice_at_once)
    assert sorted(answers) == [b"hello %d\n" % n for n in range(4)], result.output + result.error


LONGEST = 20  # ms; the slices of two computing threads are 5 ms each

SAMPLE = """
longest, stop = [0], []
def sample():
    last = time.ticks_us()
    while not stop:
        now = time.ticks_us()
        longest[0] = max(longest[0], time.ticks_diff(now, last))
        last = now
"""


# A handshake kept the GIL for a second, and a record for a tenth of one.
@pytest.mark.parametrize("kind", KINDS)
def test_others_run_within_a_handshake_and_within_a_record(
    online: Online, identities: dict[str, Identity], kind: str
) -> None:
    one = identities[kind]
    with tls_service(one, send) as port:
        said = online.run(f"""{prelude(online, one, port)}{SAMPLE}
start(sample)
time.sleep_ms(50)
connection = wrap(client_context())
print('handshake', longest[0])
longest[0] = 0
connection.write(b'x')
total = 0
while total < {SIZE}:
    total += len(connection.read(1000))
print('records', longest[0])
stop.append(1)
connection.close()
""")
    print(said)
    for words in map(str.split, said.splitlines()):
        assert int(words[1]) < 1000 * LONGEST, said


def test_a_certificate_that_nobody_trusts_and_a_wrong_name(
    online: Online, identities: dict[str, Identity]
) -> None:
    with tls_service(identities["RSA"], send) as port:
        said = online.run(f"""{prelude(online, identities["EC"], port)}
try:
    wrap(client_context())
except ValueError as error:
    print(error)
""")
    assert "not correctly signed by the trusted CA" in said
    with tls_service(identities["EC"], send) as port:
        said = online.run(f"""{prelude(online, identities["EC"], port)}
try:
    wrap(client_context(), 'other.test')
except ValueError as error:
    print(error)
""")
    assert "does not match with the expected CN" in said


def test_at_the_end_of_a_stack(online: Online, identities: dict[str, Identity]) -> None:
    """Whatever TLS does there is refused, or works."""
    one = identities["RSA"]
    with tls_service(one, send) as port:
        said = online.run(f"""{prelude(online, one, port)}
def client():
    client_context()
def server():
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
def connect():
    wrap(context).close()
jobs = client, server, connect
done, refused, ended = [], [], []
def deep(job):
    try:
        deep(job)
    except RuntimeError:
        pass
    if job in done:
        return
    try:
        job()
        done.append(job)
    except RuntimeError:
        refused.append(job)
def run(job):
    deep(job)
    ended.append(job)
context = client_context()
for job in jobs:
    start(run, job)
    while job not in ended:
        time.sleep_ms(1)
    gc.collect()
print([(job in done, job in refused) for job in jobs])
""")
    assert said == f"{3 * [(True, True)]}\n"


def test_two_readers_of_one_connection_and_one_who_closes_it(
    online: Online, identities: dict[str, Identity]
) -> None:
    one = identities["EC"]  # who comes after the error has MicroPython's -9 for it

    def say(connection: ssl.SSLSocket) -> None:
        connection.sendall(bytes(SIZE))
        connection.recv(1)

    with tls_service(one, say) as port:
        said = online.run(f"""{prelude(online, one, port)}
connection = wrap(client_context())
read, errors = [], []
def reader():
    try:
        while True:
            read.append(len(connection.read(100)))
    except OSError as error:
        errors.append(abs(error.errno))
start(reader)
start(reader)
while sum(read) < {SIZE} and not errors:
    time.sleep_ms(1)
connection.close()
while len(errors) < 2:
    time.sleep_ms(1)
print(sum(read), errors)
""")
    assert said == f"{SIZE} [9, 9]\n"


@pytest.mark.parametrize("where", ["waits", "computes"])
@pytest.mark.parametrize("end", ["Ctrl-C", "soft reset"])
def test_a_handshake_ends(
    online: Online, identities: dict[str, Identity], where: str, end: str
) -> None:
    """By Ctrl-C in the main thread, by a soft reset in two others."""
    one = identities["RSA"]
    silent = threading.Event()
    served = service(lambda _: silent.wait(60)) if where == "waits" else tls_service(one, send)
    begin = "print('ready')\nwhile True:\n    wrap(context)"
    if end == "soft reset":
        begin = """
def work():
    while True:
        wrap(context).close()
start(work)
start(work)
print('ready')
time.sleep(1000)
"""
    with served as port:
        source = f"{prelude(online, one, port)}context = client_context()\n{begin}"
        result = online.interrupted(source, b"ready", pause(online.network.wait))
        silent.set()
    assert re.search(rb"KeyboardInterrupt:\s*$", result.error), result.error.decode()
    assert online.device.clean_up(), online.device.why_not_soft
    assert online.run("print(interface.isconnected())") == "True\n"
