"""Native code that overruns a thread's stack: a message that names the thread, then a reset."""

import pytest
from console import Console

OVERRUN = """
import _thread, time
@micropython.asm_thumb
def overrun(r0):
    mov(r1, sp)
    mov(r2, 0)
    label(more)
    sub(r1, 4)
    str(r2, [r1, 0])
    sub(r0, 4)
    bgt(more)
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
def test_the_thread_is_named_and_the_board_starts_again(console: Console, then: str) -> None:
    console.start(OVERRUN.format(then=then))
    console.expect(b"ident ")
    ident = console.expect(b"\r\n")
    console.expect(f"*** stack overflow in thread {ident}".encode())
    console.expect(b"MicroPython ")
    console.expect(b">>> ")
    assert console.value("1 + 1") == 2
