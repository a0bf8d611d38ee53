"""What only a radio has: scans, and the time while its driver loads its firmware."""

import pytest
from online import Online

pytestmark = [pytest.mark.boards("RPI_PICO_W"), pytest.mark.lane("long")]


def test_scan_and_the_name_of_the_host(online: Online) -> None:
    said = online.run("""
for name, bssid, channel, rssi, security, count in interface.scan():
    print(name, len(bssid), channel, count)
print(socket.getaddrinfo('host.localhost', 7)[0][-1])
""")
    assert said.splitlines() == ["b'RP2040PY-GUEST' 6 6 1", "('10.0.0.1', 7)"]


# The driver waits with its lock, and other threads want that: they stood still for good.
def test_threads_use_the_radio_while_it_starts(online: Online) -> None:
    said = online.run(
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
interface.active(False)
interface.deinit()
before = counts[:]
interface.active(True)
print(len(interface.scan()))
time.sleep_ms(30)
stop.append(1)
print([now > then for now, then in zip(counts, before)])
""",
    )
    assert said == "1\n[True, True, True]\n"


def test_scans_beside_threads_that_allocate(online: Online) -> None:
    said = online.run(
        """
stop = []
def allocate():
    while not stop:
        [bytes(20) for _ in range(50)]
def scan():
    try:
        interface.scan()
    except OSError as error:
        busy.append(error.errno)
busy = []
for _ in range(2):
    _thread.start_new_thread(allocate, ())
for _ in range(10):
    _thread.start_new_thread(scan, ())
    try:
        found = interface.scan()
        assert [item[0] for item in found] == [b'RP2040PY-GUEST'], found
    except OSError as error:
        busy.append(error.errno)
    time.sleep_ms(50)
stop.append(1)
print(set(busy) <= {16})
""",
    )
    assert said == "True\n"
