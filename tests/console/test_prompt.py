"""When the script has ended the prompt is there, and the threads go on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from console import Console, booted

from modthread.device import Device

BEAT = """
import _thread, time
beats = [0]
def beat():
    while True:
        beats[0] += 1
_ = _thread.start_new_thread(beat, ())
"""


@pytest.mark.lane("hours", "RPI_PICO")
def test_threads_run_at_full_speed_while_the_prompt_waits(console: Console) -> None:
    output = console.run(
        BEAT
        + """
def mark():
    global before, start
    before, start = beats[0], time.ticks_us()
def rate():
    return (beats[0] - before) * 1000 / time.ticks_diff(time.ticks_us(), start)
mark()
time.sleep_ms(2000)
print(rate())
"""
    )
    while_sleeping = float(output)
    console.value("mark()")
    time.sleep(2)
    while_waiting = console.value("rate()")
    assert while_waiting >= 0.97 * while_sleeping, f"{while_waiting / while_sleeping:.1%}"


@pytest.mark.parametrize("threads", [1, 8])
def test_prompt_answers_beside_busy_threads(console: Console, threads: int) -> None:
    console.run(BEAT + f"for _ in range({threads - 1}):\n    _thread.start_new_thread(beat, ())\n")
    for i in range(10):
        assert console.value(f"{i} * {i}") == i * i
    assert console.value("len(_thread._threads())") == threads + 1


def test_script_ends_and_threads_go_on(console: Console) -> None:
    output = console.run(
        """
import _thread, time
def work():
    for i in range(5):
        time.sleep_ms(100)
        print('step', i)
_ = _thread.start_new_thread(work, ())
print('end of script')
"""
    )
    assert output == "end of script\r\n", output
    assert console.expect(b"step 4\r\n") == "".join(f"step {i}\r\n" for i in range(4))
    assert console.value("len(_thread._threads())") == 1


@pytest.mark.lane("long", "RPI_PICO")
def test_input_in_a_thread(console: Console) -> None:
    """A thread waits for input and stops no other; it gets the input while main sleeps."""
    console.start(
        BEAT
        + """
import sys
got = []
_ = _thread.start_new_thread(lambda: got.append(sys.stdin.read(3)), ())
time.sleep_ms(20)
before = beats[0]
time.sleep_ms(200)
print('advances', beats[0] > before)
while not got:
    time.sleep_ms(5)
print('got', got)
"""
    )
    assert console.expect(b"\r\n") == "advances True"
    console.send(b"abc")
    assert console.expect(b">>> ") == "got ['abc']\r\n"


def test_input_of_main_stops_nobody(console: Console) -> None:
    console.start(BEAT + "before = beats[0]\nprint('begin')\nline = input()")
    console.expect(b"begin\r\n")
    time.sleep(0.2)
    console.send(b"hello\r")
    console.expect(b">>> ")
    assert console.value("line") == "hello"
    assert console.value("beats[0] - before") > 1000


def host_ticks(stat: Path) -> int:
    """Return the time, in 10 ms, that a process of the host has run."""
    return sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13]))


@pytest.fixture
def ahead(device: Device, request: pytest.FixtureRequest) -> Iterator[Console]:
    """The prompt of a board whose clock goes on to the next event at once when it is idle."""
    if device.emulator is None or device.board.emulator is None:
        pytest.skip("needs a board that is emulated")
    device.emulator.pause()
    try:
        icount = device.board.emulator.test_icount
        with booted(device.board, icount, request.node.nodeid) as console:
            yield console
    finally:
        device.emulator.resume()


def test_idle_board_leaves_the_host_alone(ahead: Console) -> None:
    """The processor sleeps while all threads are blocked or asleep."""
    ahead.run(
        """
import _thread, time
lock = _thread.allocate_lock()
lock.acquire()
for _ in range(5):
    _ = _thread.start_new_thread(lock.acquire, ())
    _ = _thread.start_new_thread(time.sleep, (100000,))
"""
    )
    stat = Path(f"/proc/{ahead.emulator.pid}/stat")
    if not stat.exists():
        pytest.skip("this system has no /proc")

    def used() -> float:
        """Return how many seconds of the host's processor a second of the board's takes.

        The less a busy host gives to the emulator, the less of the board's time passes.
        """
        ticks, started = host_ticks(stat), ahead.value("time.ticks_ms()")
        time.sleep(2)
        ended = ahead.value("time.ticks_ms()")
        return (host_ticks(stat) - ticks) * 10 / int(ended - started)

    idle = used()
    ahead.run(BEAT)
    computing = used()
    # The tick and the emulator's clock go on; how much that is depends on the host.
    assert idle < computing / 2, f"idle {idle:.3f} s, computing {computing:.3f} s"
