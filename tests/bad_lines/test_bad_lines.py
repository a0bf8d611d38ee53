"""Boards and their lines misbehave, on every emulated board, and the harness copes."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from proxy import Proxy, unchanged

from modthread._emulators.emulator import Emulator
from modthread._link.session import BoardError, BoardResetError, LineLostError, TimeLimitError
from modthread.device import Device

pytestmark = pytest.mark.lane("long")

SLACK = 120  # seconds over a limit that a busy machine may take
PATIENCE = 0.4  # of the board's time scale: these boards shall not answer
FLOOD = "while True: print('flood')"
DEAF = "import micropython\nmicropython.kbd_intr(-1)\nwhile True: pass"
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
def run():
    overrun(4096)
    while True: pass
_thread.stack_size(4096)
for _ in range(3):
    _ = _thread.start_new_thread(time.sleep, (1000,))
_thread.start_new_thread(run, ())
time.sleep(1000)
"""


@pytest.fixture(autouse=True)
def locks_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep locks apart from all others: a line that is cut leaves its name to the next one."""
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))


@pytest.fixture
def proxy(device: Device, tmp_path: Path) -> Iterator[Proxy]:
    """A disturbed line to an emulated board of its own, beside `device`."""
    if device.emulator is None:
        pytest.skip("needs a board that is emulated")
    device.emulator.pause()
    assert device.board.emulator
    emulator = Emulator(device.board, device.board.emulator.test_icount)
    try:
        with closing(Proxy(emulator.start(), tmp_path / "tty-proxy")) as proxy:
            yield proxy
    finally:
        emulator.stop()
        device.emulator.resume()


@pytest.fixture
def far(proxy: Proxy, device: Device, tmp_path: Path) -> Iterator[Device]:
    """The board behind the disturbed line, started and clean."""
    board = replace(device.board, time_scale=device.board.time_scale * PATIENCE)
    with closing(Device(board, str(proxy.port), logs=tmp_path)) as far:
        far.start()
        yield far


def assert_well(device: Device) -> None:
    result = device.run("print(6 * 7)", 30)
    assert (result.output, result.error) == (b"42\r\n", b"")


def test_flood(device: Device) -> None:
    with pytest.raises(TimeLimitError) as caught:
        device.run(FLOOD, max(3, device.board.time_scale))
    assert caught.value.output.startswith(b"flood\r\nflood\r\n")
    assert len(caught.value.output) <= 2 << 20
    assert device.clean_up()
    assert_well(device)


@pytest.mark.lane("long")
@pytest.mark.lane("hours", "RPI_PICO")
def test_deaf(far: Device) -> None:
    """No Ctrl-C reaches it, and nobody can restart what is behind the line."""
    with pytest.raises(TimeLimitError):
        far.run(DEAF, 1)
    with pytest.raises(TimeLimitError):
        far.interrupt()
    with pytest.raises(BoardError, match=r"is dead: soft reset: .*; reset through RTS: "):
        far.clean_up()


def test_reset(device: Device) -> None:
    with pytest.raises(BoardResetError, match="reset itself"):
        device.run("import machine\nprint('before')\nmachine.reset()", 60)
    assert device.clean_up()
    assert_well(device)


def test_crash(device: Device) -> None:
    with pytest.raises(BoardResetError, match=r"crashed: .*stack overflow in thread 5") as caught:
        device.run(OVERRUN, 60)
    told = device.crash_report(caught.value.output)
    assert told
    assert " thread_task modthread/thread.c:" in told
    assert device.clean_up()
    assert_well(device)


def test_line_that_is_cut_and_comes_back(proxy: Proxy, far: Device) -> None:
    def cut(_: bytes) -> None:
        proxy.cut()
        threading.Timer(2, proxy.reconnect).start()

    with pytest.raises(LineLostError) as caught:
        far.run(f"print('before')\n{FLOOD}", 60, cut)
    assert caught.value.output.startswith(b"b")
    assert not far.clean_up()
    assert_well(far)


def test_line_that_is_cut_between_tests(proxy: Proxy, far: Device) -> None:
    proxy.cut()
    proxy.reconnect()
    assert not far.clean_up()
    assert_well(far)


def test_line_that_is_slow(proxy: Proxy, far: Device) -> None:
    proxy.delay = 0.05
    assert far.clean_up()
    assert_well(far)
    assert far.run("x = '" + "x" * 3000 + "'\nprint(len(x))", 60).output == b"3000\r\n"


@pytest.mark.parametrize("seed", range(5))
def test_line_that_is_disturbed(proxy: Proxy, far: Device, seed: int) -> None:
    """Whatever comes of it, it comes in time; and the next run is right."""
    chance = random.Random(seed)

    def disturb(data: bytes) -> bytes:
        return bytes(
            byte ^ (1 << chance.randrange(8)) if chance.random() < 0.01 else byte for byte in data
        )

    proxy.disturb = disturb
    started = time.monotonic()
    with suppress(BoardError):
        far.run("import time\nfor i in range(100): print(i)\ntime.sleep(1000)\n", 2)
    assert time.monotonic() - started < 2 + SLACK
    proxy.disturb = unchanged
    far.clean_up()
    assert_well(far)


@pytest.mark.lane("hours", "MPS2_AN385", "RPI_PICO")
def test_line_on_which_nothing_comes(proxy: Proxy, far: Device) -> None:
    proxy.disturb = lambda _: b""
    with pytest.raises(TimeLimitError):
        far.run("print(1)", 1)
    with pytest.raises(BoardError, match="is dead: soft reset: the board did not answer in time;"):
        far.clean_up()
    assert far.dead


def test_bytes_that_are_no_text(device: Device) -> None:
    every = bytes(byte for byte in range(256) if byte != 4)
    source = (
        f"import sys\nsys.stdout.buffer.write({every!r})\nsys.stdout.buffer.write(b'\\xff\\xc3')"
    )
    assert device.run(source, 60).output == every + b"\xff\xc3"


def test_long_script(device: Device) -> None:
    lines = [f"total = {number}" for number in range(1500)]
    source = "\n".join([*lines, "print(total)", "1 // 0"])
    result = device.run(source, 60 * device.board.time_scale)
    assert result.output == b"1499\r\n"
    assert b"line 1502, in <module>" in result.error


@pytest.mark.lane("hours", "MPS2_AN385", "RPI_PICO")
def test_ten_megabytes(device: Device) -> None:
    seen = 0

    def count(data: bytes) -> None:
        nonlocal seen
        seen += len(data)

    source = "line = 'x' * 1022\nfor i in range(10240): print(line)\nprint('end')"
    result = device.run(source, 600, count)
    assert seen == 10240 * 1024 + 5
    assert result.output.endswith(b"x\r\nend\r\n")
    assert len(result.output) <= 2 << 20


def test_kill_9_of_the_harness(proxy: Proxy, device: Device, tmp_path: Path) -> None:
    """The next one finds the board where that has left it, and makes it clean."""
    script = tmp_path / "script.py"
    arguments = ["run", "--board", device.board.name, "--port", str(proxy.port), str(script)]
    command = [sys.executable, "-m", "modthread", *arguments]
    script.write_text(f"kept = 1\n{FLOOD}\n")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "flood\n"
        process.send_signal(signal.SIGKILL)
    script.write_text("print('kept' in globals())\n")
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stdout) == (0, "False\n"), result.stderr
