"""A thread that waits in a socket leaves the processor to the others."""

import _thread
import time

import pytest

try:
    import network  # starts the network's task
    import select
    import socket
except ImportError:
    pass

ADDRESS = ("127.0.0.1", 8080)


def listening():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(ADDRESS)
    listener.listen(1)
    return listener


def echo(listener, ended):
    connection, _ = listener.accept()
    while True:
        data = connection.recv(100)
        if not data:
            break
        connection.send(data)
    connection.close()
    listener.close()
    ended.append(True)


def connected():
    client = socket.socket()
    client.connect(ADDRESS)
    return client


@pytest.mark.boards("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")
def test_others_advance_while_one_accepts_and_receives():
    def count(ms):
        n = 0
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < ms:
            n += 1
        return n

    alone = count(300)
    ended = []
    _thread.start_new_thread(echo, (listening(), ended))
    time.sleep_ms(10)
    while_accepting = count(300)
    client = connected()
    while_receiving = count(300)
    print(f"{while_accepting / alone:.0%} and {while_receiving / alone:.0%} of the speed")
    assert while_accepting > 0.95 * alone and while_receiving > 0.95 * alone
    client.send(b"hello")
    assert client.recv(10) == b"hello"
    client.close()
    time.sleep_ms(300)
    assert ended == [True]


@pytest.mark.boards("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")
def test_an_answer_comes_soon_beside_busy_threads():
    running = [True]
    ended = []

    def busy():
        while running:
            pass

    _thread.start_new_thread(echo, (listening(), ended))
    client = connected()
    for _ in range(3):
        _thread.start_new_thread(busy, ())
    worst = 0
    for i in range(100):
        start = time.ticks_us()
        client.send(b"%d" % i)
        assert client.recv(10) == b"%d" % i
        worst = max(worst, time.ticks_diff(time.ticks_us(), start))
    running.clear()
    client.close()
    print(f"at most {worst} us")
    assert worst < 30000


@pytest.mark.boards("ESP32_GENERIC", "ESP32_GENERIC_S3", "ESP32_GENERIC_C3")
def test_poll_returns_when_data_have_come():
    _thread.start_new_thread(echo, (listening(), []))
    client = connected()
    poller = select.poll()
    poller.register(client, select.POLLIN)
    start = time.ticks_ms()
    assert poller.poll(50) == []
    assert 50 <= time.ticks_diff(time.ticks_ms(), start) <= 56
    client.send(b"x")
    assert len(poller.poll(1000)) == 1
    assert time.ticks_diff(time.ticks_ms(), start) < 70
    client.close()
