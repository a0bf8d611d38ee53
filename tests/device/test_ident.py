"""get_ident(): a small non-zero int, unique among live threads."""

import _thread
import time

from prelude import wait_until


def check_ident(ident):
    assert type(ident) is int, type(ident)
    assert 0 < ident < 1 << 30, f"{ident} is not a small non-zero int"


def test_main_has_a_constant_identifier():
    ident = _thread.get_ident()
    check_ident(ident)
    _thread.start_new_thread(time.sleep_ms, (5,))
    time.sleep_ms(20)
    assert _thread.get_ident() == ident
    try:
        _thread.get_ident(1)
    except TypeError:
        pass
    else:
        assert False, "get_ident() took an argument"


def test_live_threads_have_unique_identifiers():
    """Over several generations, so that recycled identifiers are seen too."""
    for _ in range(10):
        gate = _thread.allocate_lock()
        gate.acquire()
        inside = {}

        def live(slot, gate=gate, inside=inside):
            first = _thread.get_ident()
            with gate:
                inside[slot] = (first, _thread.get_ident())

        started = [_thread.start_new_thread(live, (slot,)) for slot in range(12)]
        for ident in started:
            check_ident(ident)
        everyone = started + [_thread.get_ident()]
        assert len(set(everyone)) == 13, f"identifiers are shared: {everyone}"
        gate.release()
        wait_until(lambda inside=inside: len(inside) == 12)
        for slot, ident in enumerate(started):
            assert inside[slot] == (ident, ident), f"started as {ident}, inside {inside[slot]}"
        wait_until(lambda: len(_thread._threads()) == 1)
