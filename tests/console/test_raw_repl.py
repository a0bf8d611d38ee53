"""Programs on the host that use the raw REPL, beside threads that print: boot.py has started them.

The emulated board waits for real time, as where a person uses such a program.
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from modthread._boards.boards import Board
from modthread._link.line import Line
from modthread._link.traffic import TrafficLog
from modthread.device import Device

LIMIT = 60.0  # seconds, for what takes a board on an idle host one
TRIES = 5
INTERVALS = [  # between two lines of a thread, in ms
    pytest.param(1, marks=pytest.mark.lane("hours", "RPI_PICO")),
    pytest.param(5, marks=pytest.mark.lane("long")),
    20,
]
PRINTING = """
import _thread, time
def beat(number):
    while True:
        print('thread', number, 'prints this line')
        time.sleep_ms({ms})
for number in range(4):
    _thread.start_new_thread(beat, (number,))
"""
# Long enough for several windows of the raw paste; the threads print while it runs.
SCRIPT = f"""
import _thread, time
filler = '{"x" * 1000}'
time.sleep_ms(50)
print('<<%d>>' % (6 * 7), len(_thread._threads()), 'threads')
time.sleep_ms(50)
"""
# No few Ctrl-C find their way out of that, whenever they come.
SWALLOWING = """
import time
def swallow(depth):
    while True:
        try:
            if depth:
                swallow(depth - 1)
            time.sleep_ms(1)
        except KeyboardInterrupt:
            pass
print('swallows')
swallow(5)
"""


@contextmanager
def apart(device: Device, logs: Path) -> Iterator[Device]:
    """Start another one of the emulated `device`, that waits for real time, while that pauses."""
    if device.emulator is None:
        pytest.skip("needs a board that is emulated")
    device.emulator.pause()
    try:
        with closing(Device(device.board, logs=logs)) as one:
            one.start()
            yield one
    finally:
        device.emulator.resume()


@pytest.fixture
def board(device: Device, tmp_path: Path) -> Iterator[Device]:
    with apart(device, tmp_path) as one:
        yield one


def write_file(board: Device, name: str, text: str) -> None:
    result = board.run(f"with open('{name}', 'w') as file: file.write({text!r})", LIMIT)
    assert not result.error, result.error.decode()


class Exchange:
    """Bytes sent and read, as programs without a library of their own have it."""

    def __init__(self, port: str, board: Board) -> None:
        self._limit = LIMIT * board.time_scale
        self._line = Line(port, TrafficLog(Path("/dev/null")))

    def send(self, data: bytes) -> None:
        with self._line.limit(self._limit):
            self._line.write(data)

    def read(self, size: int) -> bytes:
        with self._line.limit(self._limit):
            return self._line.read(size)

    def until(self, ending: bytes) -> bytes:
        with self._line.limit(self._limit):
            return self._line.read_until(ending)

    def answer(self) -> tuple[bytes, bytes]:
        output, error = self.until(b"\x04"), self.until(b"\x04")
        assert self.read(1) == b">"
        return output[:-1], error[:-1]

    def close(self) -> None:
        self._line.close()


def as_ampy(port: str, board: Board) -> bytes:
    """As ampy and old pyboard.py do: plain raw mode, each answer where it must be."""
    with closing(Exchange(port, board)) as line:
        line.send(b"\r\x03\x03")
        line.send(b"\r\x01")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"\x04")
        line.until(b"soft reboot\r\n")
        line.until(b"raw REPL; CTRL-B to exit\r\n")
        assert line.read(1) == b">"
        for start in range(0, len(SCRIPT), 256):
            line.send(SCRIPT[start : start + 256].encode())
            time.sleep(0.01)
        line.send(b"\x04")
        assert line.read(2) == b"OK"
        output, error = line.answer()
        line.send(b"\r\x02")
        assert error == b""
        return output


def as_thonny(port: str, board: Board) -> bytes:
    """As Thonny does: raw paste, and Ctrl-C right after the soft reset."""
    with closing(Exchange(port, board)) as line:
        line.send(b"\x03")
        line.send(b"\x01")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"\x04\x03")
        line.until(b"soft reboot\r\n")
        line.until(b"raw REPL; CTRL-B to exit\r\n")
        assert line.read(1) == b">"
        outputs = b""
        for _ in range(3):  # its helpers, then the program
            line.send(b"\x05A\x01")
            assert line.read(2) == b"R\x01"
            window = int.from_bytes(line.read(2), "little")
            room = window
            script = SCRIPT.encode()
            while script:
                while room == 0:
                    assert line.read(1) == b"\x01"
                    room += window
                line.send(script[:room])
                room, script = room - len(script[:room]), script[room:]
            line.send(b"\x04")
            assert line.until(b"\x04").strip(b"\x01") == b"\x04"
            output, error = line.answer()
            assert error == b""
            outputs += output
        line.send(b"\x02")
        assert outputs.count(b"<<42>>") == 3
        return outputs


def as_mpremote(port: str, board: Board) -> bytes:
    """As mpremote itself does, in this process."""
    transport = SerialTransport(port)
    try:
        transport.enter_raw_repl(timeout_overall=10 * board.time_scale)
        output = b"".join(transport.exec(SCRIPT) for _ in range(3))
        transport.exit_raw_repl()
    finally:
        transport.close()
    assert output.count(b"<<42>>") == 3
    return output


@pytest.mark.parametrize("ms", INTERVALS)
@pytest.mark.parametrize("tool", [as_mpremote, as_thonny, as_ampy])
def test_beside_threads_that_print(
    board: Device, tool: Callable[[str, Board], bytes], ms: int
) -> None:
    write_file(board, "boot.py", PRINTING.format(ms=ms))
    port = board.release_port()
    for _ in range(TRIES):
        output = tool(port, board.board)
        assert b"<<42>>" in output
        threads = {int(number) for number in re.findall(rb"<<42>> (\d) threads\r\n", output)}
        assert threads == {5} or tool is as_thonny  # its Ctrl-C may end boot.py amidst the starts
        assert (b" prints this line\r\n" in output) == (threads != {1})


def test_mpremote_from_the_shell(board: Device) -> None:
    write_file(board, "boot.py", PRINTING.format(ms=5))
    port = board.release_port()
    for _ in range(2):
        command = [sys.executable, "-m", "mpremote", "connect", port, "exec", SCRIPT]
        run = subprocess.run(command, capture_output=True, timeout=LIMIT * board.board.time_scale)
        assert (run.returncode, run.stderr) == (0, b""), run.stdout
        assert b"<<42>>" in run.stdout
        assert b" prints this line" in run.stdout


@pytest.mark.parametrize("ms", INTERVALS)
def test_the_harness(board: Device, ms: int) -> None:
    write_file(board, "boot.py", PRINTING.format(ms=ms))
    for _ in range(TRIES):
        assert board.clean_up(), "a soft reset was not enough"
        result = board.run(SCRIPT, LIMIT * board.board.time_scale)
        assert result.error == b""
        assert b"<<42>>" in result.output
        assert b" prints this line\r\n" in result.output


def test_the_prompt_of_the_raw_repl_lets_threads_print_after_a_while(board: Device) -> None:
    write_file(board, "boot.py", PRINTING.format(ms=20))
    port = board.release_port()
    with closing(Exchange(port, board.board)) as line:
        line.send(b"\r\x03\x01")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"\x04")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.until(b"thread 3 prints this line\r\n")  # nobody has sent anything


def test_a_host_that_goes_amidst_a_script(board: Device) -> None:
    """The next host finds a board that works, and threads that go on."""
    write_file(board, "boot.py", PRINTING.format(ms=5))
    port = board.release_port()
    with closing(Exchange(port, board.board)) as line:
        line.send(b"\r\x03\x01")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"\x04")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"print(")
    with closing(Exchange(port, board.board)) as line:
        line.send(b"\x03\x02")
        line.until(b"thread 3 prints this line\r\n")
    assert b"<<42>>" in as_mpremote(port, board.board)


def test_a_callback_that_waits_for_a_thread_that_prints(board: Device) -> None:
    """The main thread takes no script meanwhile, so the thread's output must not wait for it."""
    result = board.run(
        """
import _thread, micropython, time
lock = _thread.allocate_lock()
def hold():
    with lock:
        time.sleep_ms(200)
        print('the thread prints')
def wait(_):
    with lock:
        print('the callback has the lock')
def later():
    time.sleep_ms(100)
    micropython.schedule(wait, None)
_thread.start_new_thread(hold, ())
_thread.start_new_thread(later, ())
""",
        LIMIT,
    )
    assert result.error == b""
    with board.session._line.limit(LIMIT * board.board.time_scale):
        board.session._line.write(b"# a script that has no end yet")
        said = board.session._line.read_until(b"the callback has the lock")
    assert b"the thread prints" in said


EVERY_BYTE = """
import sys
every = bytes(range(256))
sys.stdout.buffer.write(every)
sys.stdout.buffer.write(b'\\x10')
sys.stdout.buffer.write(b'\\x04')
print('<\\x04\\x04>', end='')
raise ValueError('\\x04>')
"""


def test_every_byte(device: Device) -> None:
    """No byte of a script's output ends it early."""
    result = device.run(EVERY_BYTE, LIMIT * device.board.time_scale)
    assert result.output == bytes(range(256)) + b"\x10\x04<\x04\x04>"
    assert result.error.endswith(b"ValueError: \x04>\r\n")
    assert device.run("print(6 * 7)", LIMIT * device.board.time_scale).output == b"42\r\n"


def test_bytes_are_quoted_for_nobody_else(board: Device) -> None:
    """The next host that enters the raw REPL gets the bytes as they are."""
    port = board.release_port()
    with closing(Exchange(port, board.board)) as line:
        line.send(b"\r\x03\x01")
        line.until(b"raw REPL; CTRL-B to exit\r\n>")
        line.send(b"print('a\\x10b')\x04")
        assert line.until(b"\x04") == b"OKa\x10b\r\n\x04"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("main.py", marks=pytest.mark.lane("long", "RPI_PICO")),
        pytest.param("boot.py", marks=pytest.mark.lane("hours", "RPI_PICO")),
    ],
)
def test_a_program_that_swallows_ctrl_c(
    board: Device, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board comes back with its files."""
    monkeypatch.setattr("modthread.device.ANSWER_LIMIT", 5.0)  # it answers in less, or never
    write_file(board, name, SWALLOWING)
    board.session.restart(LIMIT)
    with board.session._line.limit(LIMIT * board.board.time_scale):
        board.session._line.read_until(b"swallows\r\n")
    assert not board.clean_up(), "it has not swallowed a Ctrl-C"
    result = board.run("import os; print(os.listdir())", LIMIT)
    assert name.encode() in result.output
    monkeypatch.undo()  # a busy host may take longer for what shall succeed
    assert board.clean_up(), "the next soft reset was not enough"


def test_a_start_without_boot_py(board: Device) -> None:
    write_file(board, "boot.py", "booted = True")
    limit = LIMIT * board.board.time_scale
    for boot_files in (True, False, True):
        board.session.soft_reset(limit, boot_files)
        board.session.prepare(limit)
        result = board.run("print('booted' in globals())", limit)
        assert result.output.decode() == f"{boot_files}\r\n"
