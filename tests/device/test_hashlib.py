"""hashlib beside threads: each update is whole, and its data stay."""

import _thread
import hashlib

import pytest
from prelude import start_computing, wait_until


@pytest.mark.boards("RPI_PICO", "ESP32_GENERIC_C3")
def test_updates_of_two_threads_are_whole():
    texts = [bytes([value]) * 6000 for value in b"ab"]
    shared = hashlib.sha256()
    done = []

    def update(text):
        shared.update(text)
        done.append(text)

    computing = start_computing(1)
    for text in texts:
        _thread.start_new_thread(update, (text,))
    wait_until(lambda: len(done) == 2)
    computing.clear()
    assert shared.digest() == hashlib.sha256(done[0] + done[1]).digest()


@pytest.mark.boards("RPI_PICO", "ESP32_GENERIC_C3")
def test_data_that_change_meanwhile_stay_in_memory():
    data = [bytearray(8000)]
    begun, got = [], []
    barrier = bytes(64)  # so that it cannot grow in place

    def work():
        begun.append(True)
        got.append(hashlib.sha256(data[0]).digest())

    computing = start_computing(1)
    _thread.start_new_thread(work, ())
    wait_until(lambda: begun)
    assert not got
    data[0].extend(barrier)
    others = [b"x" * 1000 for _ in range(20)]
    wait_until(lambda: got)
    computing.clear()
    assert got == [hashlib.sha256(bytes(8000)).digest()]
    assert all(other == b"x" * 1000 for other in others)


@pytest.mark.boards("RPI_PICO", "ESP32_GENERIC_C3")
def test_a_digest_ends_a_hash():
    one = hashlib.sha256(bytes(1000))
    one.digest()
    for size in (1, 1000, 1000):
        try:
            one.update(bytes(size))
            raise AssertionError("no ValueError")
        except ValueError:
            pass
    assert hashlib.sha256(b"").digest()[:4] == b"\xe3\xb0\xc4\x42"
