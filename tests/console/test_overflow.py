"""Native code that overruns a thread's stack: a message that names the thread, then a reset."""

import pytest
from console import Console

from modthread.device import Device

THUMB = """
@micropython.asm_thumb
def overrun(r0):
    mov(r1, sp)
    mov(r2, 0)
    label(more)
    sub(r1, 4)
    str(r2, [r1, 0])
    sub(r0, 4)
    bgt(more)
"""
# There is no assembler on an ESP32: what an overrun leaves is written to the end of the stack
# that the mark is on.
SCAN = """
import machine, sys
memory = {
    'ESP32_GENERIC': 0x3ffb0000,
    'ESP32_GENERIC_S3': 0x3fc88000,
    'ESP32_GENERIC_C3': 0x3fc80000,
}
def overrun(size):
    mark = 1000000 + _thread.get_ident()
    address = memory[sys.implementation._build]
    while machine.mem32[address] != 2 * mark + 1:
        address += 4
    while machine.mem32[address] & 0xffffffff != 0x7357ac4b:
        address -= 4
    for address in range(address, address + 160, 4):
        machine.mem32[address] = 0
"""
OVERRUN = """
def run(size):
    time.sleep_ms(20)
    overrun(size)
    {then}
_thread.stack_size(4096)
for _ in range(3):
    _ = _thread.start_new_thread(time.sleep, (1000,))
print('ident', _thread.start_new_thread(run, (4096,)))
"""


@pytest.mark.parametrize(
    "then",
    [
        "time.sleep_ms(1)",
        pytest.param("while True: pass", marks=pytest.mark.lane("long", "RPI_PICO")),
        pytest.param("pass", marks=pytest.mark.lane("long", "RPI_PICO")),
    ],
)
def test_the_thread_is_named_and_the_board_starts_again(
    console: Console, device: Device, then: str
) -> None:
    assembler = SCAN if device.board.port == "esp32" else THUMB
    console.start("import _thread, time" + assembler + OVERRUN.format(then=then))
    console.expect(b"ident ")
    ident = console.expect(b"\r\n")
    console.expect(f"*** stack overflow in thread {ident}".encode())
    console.expect(b"MicroPython ")
    console.expect(b">>> ")
    assert console.value("1 + 1") == 2


# What lies below each stack that is none of a thread's: ports/cortex_m/guard.c.
GUARD = """
import micropython
@micropython.viper
def guard_after(address: int) -> int:
    while ptr16(address)[0] != 0x57ac or ptr16(address)[1] != 0x5afe:
        address += 4
    return address
@micropython.viper
def destroy(address: int, then: int):
    ptr32(address)[0] = 0
    if then:
        ptr32(then)[0]
guard = guard_after(0x20000000)
for _ in range({number}):
    guard = guard_after(guard + 16)
destroy(guard, {then})
while True: pass
"""
OUT_OF_REACH = 0x60000000
GUARDED = {name: ["interrupts", "task service"] for name in ("MPS2_AN385", "RPI_PICO")}


@pytest.mark.parametrize(("then", "what_follows"), [(0, ""), (OUT_OF_REACH, ", then HardFault")])
def test_the_stack_of_interrupts_is_named(
    console: Console, device: Device, then: int, what_follows: str
) -> None:
    if device.board.name not in GUARDED:
        pytest.skip("has no such guards")
    if then and device.board.port != "qemu":
        pytest.skip("rp2040py stops with a fault's reason before its handler runs")
    guarded = set(GUARDED[device.board.name])
    for number in range(len(guarded)):
        console.start(GUARD.format(number=number, then=then))
        console.expect(b"*** stack overflow in ")
        said = console.expect(b"\r\n")
        whose = next(name for name in guarded if said.startswith(name + what_follows))
        guarded.remove(whose)
        console.expect(b">>> ")
        assert console.value("1 + 1") == 2
