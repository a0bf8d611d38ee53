"""Threads that print where machine.USBDevice is in use: TinyUSB is the main thread's then."""

from collections import Counter

import pytest

from modthread.device import Device

pytestmark = pytest.mark.boards("RPI_PICO")

THREADS, LINES = 3, 40
SCRIPT = """
import _thread, machine, sys, time
device = machine.USBDevice()
{begin}
done = [_thread.allocate_lock() for _ in range({threads})]
def write(name, done):
    for number in range({lines}):
        sys.stdout.write(f'{{name}} {{number}} {{"." * 40}}\\n')
    done.release()
for name, lock in enumerate(done):
    lock.acquire()
    _thread.start_new_thread(write, (name, lock))
{main}
"""
# The host sees a device that leaves and comes back, which TinyUSB tells to a callback.
# Meanwhile two threads look at the line, and the callback takes longer than a turn of a thread.
COME_BACK = """
import select
def look():
    line = select.poll()
    line.register(sys.stdin, select.POLLIN)
    while not stop:
        line.poll(0)
def came_back():
    begin = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), begin) < 30:
        pass
    callers.append(_thread.get_ident())
stop, callers = [], []
for _ in range(2):
    _thread.start_new_thread(look, ())
device.active(False)
device.builtin_driver = device.BUILTIN_DEFAULT
driver = device.builtin_driver
device.config(driver.desc_dev, driver.desc_cfg, None, reset_cb=came_back)
time.sleep_ms(20)
device.active(True)
while not callers:
    time.sleep_ms(1)
time.sleep_ms(300)
assert set(callers) == {_thread.get_ident()}, callers
stop.append(1)
"""
MAIN = {
    "computes": "while any(lock.locked() for lock in done):\n    pass",
    "sleeps": "while any(lock.locked() for lock in done):\n    time.sleep_ms(3)",
    "waits": "for lock in done:\n    lock.acquire()",
}


@pytest.mark.lane("long", "RPI_PICO")
@pytest.mark.parametrize("main", MAIN)
def test_all_that_threads_print_comes(device: Device, main: str) -> None:
    """More than the line takes at once; no thread finds TinyUSB at work already."""
    prints_all(device, begin="", main=MAIN[main])


@pytest.mark.lane("long", "RPI_PICO")
def test_callbacks_run_on_the_main_thread(device: Device) -> None:
    if device.emulator is None:
        pytest.skip("the port would go away")
    prints_all(device, begin=COME_BACK, main=MAIN["waits"])
    # A soft reset takes the board off the bus once more, and the emulated host does not come back.
    device.close()
    device.start()


def prints_all(device: Device, begin: str, main: str) -> None:
    script = SCRIPT.format(threads=THREADS, lines=LINES, begin=begin, main=main)
    result = device.run(script, 60 * device.board.time_scale)
    assert not result.error, result.error
    lines = [f"{name} {number} {'.' * 40}" for name in range(THREADS) for number in range(LINES)]
    assert Counter(result.output.decode().splitlines()) == Counter(lines)
