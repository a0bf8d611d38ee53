"""network.LAN, which MicroPython's ports with Ethernet have."""

import pytest
from online import Online

pytestmark = pytest.mark.boards("MPS2_AN385")


def test_on_off_and_on(online: Online) -> None:
    said = online.run("""
print(interface.status(), interface.active(), interface)
print(interface.config('mac').hex(':'), interface.ipconfig('addr4'))
interface.active(False)
print(interface.status(), interface.active(), interface.isconnected(), interface)
peer = socket.socket()
try:
    peer.connect(('10.0.2.2', 1))
except OSError as error:
    print(error.errno)
interface.active(True)
interface.active(True)
while not interface.isconnected():
    time.sleep_ms(1)
print(network.LAN() is interface, interface.ifconfig()[0])
""")
    assert said.splitlines() == [
        "3 True <LAN 3 10.0.2.15>",
        "52:54:00:12:34:56 ('10.0.2.15', '255.255.255.0')",
        "0 False False <LAN 0 0.0.0.0>",
        "113",
        "True 10.0.2.15",
    ]


def test_a_fixed_address(online: Online) -> None:
    said = online.run("""
interface.ifconfig(('10.0.2.20', '255.255.255.0', '10.0.2.2', '10.0.2.3'))
print(interface.isconnected(), interface.ifconfig())
""")
    assert said == "True ('10.0.2.20', '255.255.255.0', '10.0.2.2', '10.0.2.3')\n"


def test_what_is_wrong_is_said(online: Online) -> None:
    said = online.run("""
interface.active(False)
for wrong in (
    lambda: network.LAN(1),
    lambda: interface.config('ssid'),
    lambda: interface.config('mac'),
    lambda: interface.ipconfig(dhcp4=True),
    lambda: interface.ifconfig('dhcp'),
):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__, error)
""")
    assert said.splitlines() == [
        "TypeError function takes 0 positional arguments but 1 were given",
        "ValueError unknown config param",
        *3 * ["OSError call active(True) first"],
    ]


# Closed connections and questions that nobody waits for are gone when the interface is on again.
def test_nothing_is_left_of_what_was_going_on(online: Online) -> None:
    said = online.run("""
def ask():
    try:
        socket.getaddrinfo('no.answer', 1)
    except OSError as error:
        errors.append(error.errno)
errors = []
for _ in range(10):
    interface.ifconfig(interface.ifconfig()[:3] + ('10.0.2.77',))
    for _ in range(4):
        _thread.start_new_thread(ask, ())
    while [row[1] for row in _thread._threads()].count('waiting') < 4:
        time.sleep_ms(1)
    interface.active(False)
    time.sleep_ms(5)
    interface.active(True)
    while not interface.isconnected():
        time.sleep_ms(1)
time.sleep_ms(10)
print(len(errors), set(errors))
""")
    assert said == "40 {-2}\n"


def test_at_the_end_of_a_stack(online: Online) -> None:
    """Whatever a socket does there is refused, or works."""
    said = online.run("""
done, refused = [], []
def connect():
    peer = socket.socket()
    peer.setblocking(False)
    try:
        peer.connect(('10.0.2.2', 1))
    except OSError:
        pass
    peer.close()
def datagram():
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.sendto(b'x' * 100, ('10.0.2.2', 9))
    peer.close()
def again():
    interface.active(False)
    interface.active(True)
jobs = connect, datagram, again
def deep(job, depth):
    try:
        deep(job, depth + 1)
    except RuntimeError:
        pass
    try:
        job()
        done.append(job)
    except RuntimeError:
        refused.append(job)
def run(job):
    deep(job, 0)
    ended.append(job)
ended = []
_thread.stack_size(8 * 1024)
for job in jobs:
    _thread.start_new_thread(run, (job,))
    while job not in ended:
        time.sleep_ms(1)
print([(job in done, job in refused) for job in jobs])
""")
    assert said == f"{3 * [(True, True)]}\n"
