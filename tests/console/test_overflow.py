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


@pytest.mark.parametrize("then", ["time.sleep_ms(1)", "while True: pass", "pass"])
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
