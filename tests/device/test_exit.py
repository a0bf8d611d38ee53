"""How a thread ends: by returning, by SystemExit, by any other exception."""

import _thread
import time

import pytest
from prelude import free_memory, wait_until


def test_exit_raises_system_exit():
    for arguments in ((), (1,)):
        try:
            _thread.exit(*arguments)
        except SystemExit:
            assert not arguments
        except TypeError:
            assert arguments, "exit() takes no argument and got none"
        else:
            assert False, "exit() returned"


def test_exit_ends_the_thread_through_its_handlers():
    trace = []

    def inner():
        try:
            _thread.exit()
            trace.append("after exit")
        except Exception:
            trace.append("except Exception")
        finally:
            trace.append("finally")

    def outer():
        try:
            inner()
            trace.append("after inner")
        except SystemExit as error:
            trace.append(type(error).__name__)
            raise

    _thread.start_new_thread(outer, ())
    wait_until(lambda: len(_thread._threads()) == 1)
    assert trace == ["finally", "SystemExit"], trace


@pytest.mark.expect_output("ValueError: deliberate")
def test_the_thread_is_gone_however_it_ends():
    def fail(error):
        raise error

    for function, args in (
        (lambda: "value", ()),
        (_thread.exit, ()),
        (fail, (SystemExit(3),)),
        (fail, (ValueError("deliberate"),)),
        (fail, (KeyboardInterrupt(),)),
        (lambda: None, ("too", "many")),
    ):
        ident = _thread.start_new_thread(function, args)
        wait_until(lambda: len(_thread._threads()) == 1)
        assert _thread._threads()[0][0] == _thread.get_ident() != ident


@pytest.mark.expect_output("ValueError: deliberate")
def test_an_exception_leaves_the_other_threads_running():
    beats = [0, 0]
    running = [True]

    def beat(slot):
        while running:
            beats[slot] += 1

    def fail():
        time.sleep_ms(2)
        raise ValueError("deliberate")

    for slot in range(2):
        _thread.start_new_thread(beat, (slot,))
    for _ in range(5):
        _thread.start_new_thread(fail, ())
    wait_until(lambda: len(_thread._threads()) == 3)
    before = list(beats)
    time.sleep_ms(100)
    assert beats[0] > before[0] and beats[1] > before[1], f"{before} -> {beats}"
    running.clear()


def test_a_finished_thread_lets_go_of_its_objects():
    """Objects that only finished threads referred to are collected, although their stacks stay."""

    def hold(block):
        gate.acquire()
        gate.release()
        return block

    def run_four(size):
        for _ in range(4):
            _thread.start_new_thread(hold, (bytearray(size),))
        gate.release()
        wait_until(lambda: len(_thread._threads()) == 1)
        gate.acquire()
        return free_memory()

    gate = _thread.allocate_lock()
    gate.acquire()
    size = free_memory() // 16
    lost = run_four(16) - run_four(size)
    assert lost < 2 * size, f"{lost} of {4 * size} bytes are still held"
