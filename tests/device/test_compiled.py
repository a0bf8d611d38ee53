"""Compiled code takes turns with threads and callbacks, and is not disturbed by it."""

import _thread
import machine
import sys
import time

import pytest


@micropython.viper
def viper_spin(flag: ptr8):
    while flag[0] == 0:
        pass


@micropython.native
def native_spin(flag):
    while flag[0] == 0:
        pass


SPINS = {"viper": viper_spin, "native": native_spin}

# In a string, since other processors' compilers refuse the decorator.
ASM = """
@micropython.asm_thumb
def asm_spin(r0):
    label(LOOP)
    ldrb(r1, [r0, 0])
    cmp(r1, 0)
    beq(LOOP)


@micropython.asm_thumb
def add_carries(r0):
    # Numbers of 64 bits: the carry lives from one instruction to the next; all registers are in use.
    mov(r1, 0)
    mov(r2, 0)
    mov(r3, 0x9E)
    lsl(r3, r3, 12)
    add(r3, 0x37)
    lsl(r3, r3, 12)
    add(r3, 0x79)
    mov(r4, 7)
    mov(r5, r3)
    mov(r6, 0)
    mov(r7, 1)
    label(LOOP)
    add(r1, r1, r3)
    adc(r2, r4)
    add(r1, r1, r5)
    adc(r2, r6)
    sub(r0, r0, r7)
    bne(LOOP)
    mov(r0, r1)
    eor(r0, r2)
    lsl(r0, r0, 2)
    lsr(r0, r0, 2)
"""


def assembled(name):
    names = {}
    exec(ASM, names)
    return names[name]


def ended(condition, ms=2000):
    start = time.ticks_ms()
    while not condition():
        if time.ticks_diff(time.ticks_ms(), start) > ms:
            return False
        time.sleep_ms(1)
    return True


@pytest.mark.boards("MPS2_AN385", "RPI_PICO", "ESP32_GENERIC_C3")
@pytest.mark.parametrize(
    "kind",
    ["viper", "native", pytest.param("asm", marks=pytest.mark.boards("MPS2_AN385", "RPI_PICO"))],
)
def test_main_goes_on_beside_a_loop_in_a_thread(kind):
    spin = SPINS.get(kind) or assembled("asm_spin")
    flag = bytearray(1)
    done = []

    def run():
        spin(flag)
        done.append(None)

    _thread.start_new_thread(run, ())
    time.sleep_ms(20)
    count = 0
    start = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), start) < 50:
        count += 1
    assert not done
    flag[0] = 1
    assert ended(lambda: done), "the loop does not see what main has written"
    assert count > 20, f"main has had only {count} turns"


@pytest.mark.boards("MPS2_AN385", "RPI_PICO", "ESP32_GENERIC_C3")
@pytest.mark.parametrize(
    "kind",
    ["viper", "native", pytest.param("asm", marks=pytest.mark.boards("MPS2_AN385", "RPI_PICO"))],
)
def test_callbacks_run_beside_a_loop_in_main(kind):
    spin = SPINS.get(kind) or assembled("asm_spin")
    flag = bytearray(1)
    calls = []

    def callback(_):
        calls.append(_thread.get_ident())
        flag[0] = len(calls) == 3

    number = 0 if sys.platform == "esp32" else -1
    timer = machine.Timer(number, period=5, callback=callback)
    spin(flag)
    timer.deinit()
    assert calls[:3] == [_thread.get_ident()] * 3


@micropython.viper
def checksum(n: int) -> int:
    a = 1
    b = 0x1234567
    i = 0
    while i < n:
        a = (a ^ (a << 13)) & 0x3FFFFFFF
        a = a ^ (a >> 17)
        b = (b + (a if a > b else i)) & 0x3FFFFFFF
        i += 1
    return a ^ b


@pytest.mark.boards("MPS2_AN385", "RPI_PICO", "ESP32_GENERIC_C3")
@pytest.mark.parametrize(
    "name",
    ["checksum", pytest.param("add_carries", marks=pytest.mark.boards("MPS2_AN385", "RPI_PICO"))],
)
def test_it_computes_the_same_beside_threads(name):
    function = checksum if name == "checksum" else assembled(name)
    turns = 100_000
    right = function(turns)
    interval = _thread.getswitchinterval()
    _thread.setswitchinterval(0.001)
    results = []

    def compute():
        for _ in range(5):
            results.append(function(turns))
            bytearray(100)

    for _ in range(4):
        _thread.start_new_thread(compute, ())
    compute()
    try:
        assert ended(lambda: len(results) == 25, 60_000)
        assert set(results) == {right}, results
    finally:
        _thread.setswitchinterval(interval)
