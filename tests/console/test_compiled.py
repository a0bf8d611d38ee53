"""Ctrl-C and Ctrl-D end loops of compiled code."""

import pytest
from console import Console

pytestmark = pytest.mark.boards("MPS2_AN385", "RPI_PICO", "ESP32_GENERIC_C3")

COMMON = """
import _thread, time
lock = _thread.allocate_lock()
@micropython.viper
def viper():
    while True:
        pass
@micropython.viper
def long_viper():
    a = 1
    while True:
        a = a ^ 3
        a = a + 5
        a = a ^ 7
        a = a + 9
        a = a ^ 11
        a = a + 13
        a = a ^ 15
@micropython.native
def native():
    while True:
        pass
@micropython.native
def native_in_with():
    with lock:
        while True:
            pass
@micropython.native
def native_in_finally():
    try:
        while True:
            pass
    finally:
        print('finally')
"""
ASM = """
@micropython.asm_thumb
def asm():
    label(LOOP)
    b(LOOP)
"""


@pytest.mark.parametrize("function", ["viper", "long_viper", "native"])
def test_ctrl_c(console: Console, function: str) -> None:
    console.run(COMMON)
    interrupt(console, function)


@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_ctrl_c_in_assembler(console: Console) -> None:
    console.run(ASM)
    interrupt(console, "asm")


def interrupt(console: Console, function: str) -> None:
    """Expect that Ctrl-C ends the loop in `function`, each time."""
    for _ in range(5):
        console.start(f"print('begin')\n{function}()")
        console.expect(b"begin\r\n")
        assert console.interrupt().endswith("KeyboardInterrupt: \r\n")


def test_ctrl_c_leaves_by_with_and_finally(console: Console) -> None:
    console.run(COMMON)
    for _ in range(5):
        console.start("print('begin')\nnative_in_with()")
        console.expect(b"begin\r\n")
        assert console.interrupt().endswith("KeyboardInterrupt: \r\n")
        assert console.value("lock.locked()") is False
        console.start("print('begin')\nnative_in_finally()")
        console.expect(b"begin\r\n")
        output = console.interrupt()
        assert output.startswith("finally\r\n"), output
        assert output.endswith("KeyboardInterrupt: \r\n"), output


@pytest.mark.parametrize("function", ["viper", "native"])
def test_soft_reset_with_threads(console: Console, function: str) -> None:
    console.run(COMMON)
    reset_beside(console, function)


@pytest.mark.boards("MPS2_AN385", "RPI_PICO")
def test_soft_reset_with_threads_in_assembler(console: Console) -> None:
    console.run("import _thread\n" + ASM)
    reset_beside(console, "asm")


def reset_beside(console: Console, function: str) -> None:
    """Reset the board softly beside threads that loop in `function`."""
    console.run(f"for _ in range(3):\n    _ = _thread.start_new_thread({function}, ())\n")
    assert console.value("1 + 1") == 2
    console.soft_reset()
    assert console.value("len(__import__('_thread')._threads())") == 1
