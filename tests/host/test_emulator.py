"""Emulated boards: started, restarted, ended, missing."""

import dataclasses
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from modthread._boards import boards
from modthread._boards.boards import Board
from modthread._emulators.emulator import Emulator
from modthread._firmware import build
from modthread._link.session import BoardError, BoardResetError, LineLostError, TimeLimitError
from modthread._reports import deadlock
from modthread._reports.crash import decoded
from modthread.device import Device
from modthread.errors import ModthreadError

pytestmark = pytest.mark.lane("test")  # the firmware is built where something has changed


@pytest.fixture(scope="module")
def board() -> Board:
    board = boards.load(boards.DEFAULT)
    build.firmware(board)
    return board


@pytest.fixture
def emulated(board: Board, tmp_path: Path) -> Iterator[Device]:
    with closing(Device(board, logs=tmp_path)) as emulated:
        emulated.start()
        yield emulated


def with_command(board: Board, *command: str) -> Board:
    assert board.emulator
    return dataclasses.replace(
        board, emulator=dataclasses.replace(board.emulator, command=command, install="get it")
    )


def pid_of(emulated: Device) -> int:
    assert emulated.emulator
    assert emulated.emulator.pid
    return emulated.emulator.pid


def output_of(emulated: Device, source: str) -> bytes:
    result = emulated.run(source, 10)
    assert result.error == b""
    return result.output


class StartedError(Exception):
    """A script has said so."""


def hang(emulated: Device, source: str) -> None:
    """Run a script that prints "started" and then never ends, until it has had its time."""
    output = bytearray()

    def look(data: bytes) -> None:
        output.extend(data)
        if b"started\r\n" in output:
            raise StartedError

    emulated.session.begin(source, 10)
    with pytest.raises(StartedError):
        emulated.follow(10, look)
    with pytest.raises(TimeLimitError):
        emulated.follow(1)


def test_port_is_a_pseudo_terminal_and_stop_ends_the_process(board: Board) -> None:
    emulator = Emulator(board)
    assert emulator.start().startswith("/dev/pts/")
    assert emulator.pid
    pid = emulator.pid
    emulator.stop()
    assert emulator.pid is None
    assert not Path(f"/proc/{pid}").exists()
    emulator.stop()


def test_info_names_what_runs(emulated: Device) -> None:
    info = emulated.info()
    assert info.startswith("MicroPython v1.")
    assert f", modthread {build.version().partition('+')[0]}" in info
    assert "FreeRTOS V" in info


def test_soft_reset_forgets(emulated: Device) -> None:
    output_of(emulated, "kept = 1")
    assert emulated.clean_up()
    assert output_of(emulated, "print('kept' in globals())") == b"False\r\n"


def test_death_is_noticed_and_mended(emulated: Device) -> None:
    script = "import time\nprint('before')\nwhile True: time.sleep(1)"

    def kill(data: bytes) -> None:
        if data.endswith(b"\n"):
            os.kill(pid_of(emulated), 9)

    with pytest.raises(LineLostError, match="the emulator ended with status -9") as caught:
        emulated.run(script, 30, kill)
    assert caught.value.output == b"before\r\n"
    assert not emulated.clean_up()
    assert output_of(emulated, "print(6 * 7)") == b"42\r\n"


def test_crash_is_noticed_and_the_board_usable_again(emulated: Device) -> None:
    with pytest.raises(BoardResetError, match=r"crashed: \*\*\* HardFault") as caught:
        emulated.run("import machine\nmachine.mem32[0xf0000000] = 1", 10)
    crash = emulated.crash_report(caught.value.output)
    assert crash
    assert re.search(r"^pc \w{8} machine_mem_subscr .*/extmod/machine_mem.c:\d+$", crash, re.M)
    called_by = ["mp_execute_bytecode", "fun_bc_call", "parse_compile_execute", "pyexec_raw_repl"]
    functions = re.findall(r"^   \w{8} (\w+) \S+:\d+$", crash, re.M)
    assert [name for name in dict.fromkeys(functions) if name in called_by] == called_by
    another = decoded(caught.value.output, emulated.board.firmware, "another version")
    assert re.search(r"^not decoded: \S+/firmware.elf is not what runs on the board", another, re.M)
    assert "extmod" not in another
    assert emulated.clean_up()
    assert output_of(emulated, "print(6 * 7)") == b"42\r\n"


NO_STACK = """\
@micropython.asm_thumb
def lose_stack():
    movwt(r4, 0x14141414)
    movwt(r0, 0xa0000000)
    mov(sp, r0)
    data(2, 0xde00)  # undefined
lose_stack()
"""


def test_crash_without_a_stack_is_told(emulated: Device) -> None:
    with pytest.raises(BoardResetError, match=r"HardFault .*, stack pointer lost, at") as caught:
        emulated.run(NO_STACK, 10)
    crash = emulated.crash_report(caught.value.output)
    assert crash
    assert " r4=14141414 " in crash
    assert "sp=a0000000 " in crash
    assert emulated.clean_up()
    assert output_of(emulated, "print(6 * 7)") == b"42\r\n"


def test_reset_is_noticed_and_the_board_usable_again(emulated: Device) -> None:
    with pytest.raises(BoardResetError, match="reset itself"):
        emulated.run("import machine\nmachine.reset()", 10)
    assert emulated.clean_up()
    assert output_of(emulated, "print(6 * 7)") == b"42\r\n"


@pytest.mark.lane("long")
def test_deaf_board_is_restarted(emulated: Device) -> None:
    before = pid_of(emulated)
    source = "import micropython\nmicropython.kbd_intr(-1)\n"
    hang(emulated, source + "print('started')\nwhile True: pass")
    with pytest.raises(BoardError):
        emulated.interrupt()
    assert not emulated.clean_up()
    assert pid_of(emulated) != before
    assert output_of(emulated, "print(6 * 7)") == b"42\r\n"


def test_hang_shows_its_threads(emulated: Device) -> None:
    source = "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\n"
    source += "for _ in range(3): _thread.start_new_thread(lock.acquire, ())\n"
    source += "import time; time.sleep_ms(50); print('started')\nlock.acquire()"
    hang(emulated, source)
    assert b"line 6" in emulated.interrupt().error
    threads = emulated.threads()
    assert sorted(thread.state for thread in threads) == ["running"] + ["waiting"] * 3
    assert all(0 < thread.used < thread.stack for thread in threads)
    assert emulated.clean_up()
    assert len(emulated.threads()) == 1


DEADLOCK = """\
import _thread, time
a, b = _thread.allocate_lock(), _thread.allocate_lock()
def work():
    with b:
        time.sleep_ms(20)
        with a:
            print("has both")
def busy():
    while True:
        pass
def stubborn():
    while True:
        try:
            time.sleep(1000)
        except BaseException:
            pass
for function in (work, busy, stubborn):
    _thread.start_new_thread(function, ())
with a:
    time.sleep_ms(100)
    print("started")
    with b:
        print("has both")
"""


def test_every_thread_is_found_where_it_was(emulated: Device) -> None:
    """Before the interrupt releases the locks that the main thread holds."""
    hang(emulated, DEADLOCK)
    interrupted = emulated.interrupt()
    assert b"line 22, in <module>" in interrupted.error
    assert b"has both" not in interrupted.output
    threads = {thread.function: thread for thread in emulated.threads()}
    assert {name: thread.state for name, thread in threads.items()} == {
        "main": "running",
        "work": "waiting",
        "busy": "ready",
        "stubborn": "waiting",
    }
    assert [line.partition(" 0x")[0] for line in deadlock.waits(list(threads.values()))] == [
        "thread 2 (work) waits for Lock",
        "main waits for Lock",
    ]
    for name, lines in (("work", "6"), ("busy", "9|10"), ("stubborn", "14")):
        frames = re.findall(r"line (\d+), in (\w+)", threads[name].traceback)
        assert [function for _, function in frames] == [name]
        assert re.fullmatch(lines, frames[0][0])


CYCLE = """\
import threading, time
locks = [threading.{kind}() for _ in range({count})]
def work(first):
    with locks[first]:
        time.sleep_ms(20)
        with locks[(first + 1) % {count}]:
            print("has both")
for first in range(1, {count}):
    threading.Thread(target=work, args=(first,), name="worker %d" % first).start()
print("started")
work(0)
"""


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(("kind", "has"), [("Lock", "taken by"), ("RLock", "held by")])
def test_deadlock_is_told(emulated: Device, kind: str, has: str, count: int) -> None:
    hang(emulated, CYCLE.format(kind=kind, count=count))
    assert b"has both" not in emulated.interrupt().output
    threads = emulated.threads()
    ring = ["main", *(f"thread {n + 1} (worker {n})" for n in range(1, count)), "main"]
    said = sorted(re.sub(r"0x\w+", "0x0", line) for line in deadlock.waits(threads))
    assert said == sorted(
        f"{one} waits for {kind} 0x0, {has} {next_one}" for one, next_one in pairwise(ring)
    )
    members = f"{', '.join(ring[:-2])} and {ring[-2]}"
    assert deadlock.deadlocks(threads) == [f"deadlock of {members}"]


WAITS = """import _thread, queue, threading, time
lock, event = threading.Lock(), threading.Event()
changed, things = threading.Condition(), queue.Queue()
def wait():
    with changed:
        changed.wait()
def die():
    lock.acquire()
sleeper = threading.Thread(target=time.sleep, args=(1000,), name="sleeper")
for work in (event.wait, wait, things.get, sleeper.join):
    threading.Thread(target=work).start()
    if work == things.get:
        sleeper.start()
_thread.start_new_thread(die, ())
time.sleep_ms(20)
_thread.start_new_thread(lock.acquire, ())
time.sleep_ms(20)
"""


def test_what_threads_wait_for_is_told(emulated: Device) -> None:
    assert emulated.run(WAITS, 10).error == b""
    said = deadlock.waits(emulated.threads())
    assert sorted(re.sub(r"0x\w+", "0x0", line) for line in said) == [
        "thread 2 (Thread-1) waits for Event 0x0",
        "thread 3 (Thread-2 (wait)) waits for Condition 0x0",
        "thread 4 (Thread-3) waits for Queue 0x0",
        "thread 6 (Thread-4 (join)) waits for the end of thread 5 (sleeper)",
        "thread 8 (<bound_method>) waits for Lock 0x0, taken by thread 7, which has ended",
    ]


@pytest.mark.parametrize("work", ["print('noise > noise', end='>')", "pass", "time.sleep_ms(1)"])
def test_threads_that_go_on_do_not_keep_the_board(emulated: Device, work: str) -> None:
    """The script has ended, its threads print on: this run, its result and the next are right."""
    source = f"import _thread, time\ndef work():\n    while True: {work}\n"
    source += "for _ in range(3): _thread.start_new_thread(work, ())\ntime.sleep_ms(50)"
    for _ in range(5):
        result = emulated.run(source, 10)
        assert result.error == b""
        assert not result.exited
        assert len(emulated.threads()) == 4
        assert emulated.clean_up()
        assert output_of(emulated, "import _thread\nprint(len(_thread._threads()))") == b"1\r\n"


# At shift=10 ticks come before MicroPython starts.
@pytest.mark.parametrize(
    "icount", ["off", "shift=3,align=off,sleep=on", "shift=10,align=off,sleep=on"]
)
def test_icount_can_be_chosen(board: Board, icount: str, tmp_path: Path) -> None:
    with closing(Device(board, icount=icount, logs=tmp_path)) as emulated:
        emulated.start()
        command = Path(f"/proc/{pid_of(emulated)}/cmdline").read_text().split("\0")
        assert (icount in command) == (icount != "off")
        assert ("-icount" in command) == (icount != "off")


def test_missing_emulator_is_one_line(board: Board) -> None:
    with pytest.raises(ModthreadError) as caught:
        Emulator(with_command(board, "no-such-qemu")).start()
    assert str(caught.value) == "no-such-qemu is not installed; get it"


def test_missing_firmware_is_one_line(board: Board) -> None:
    with pytest.raises(ModthreadError) as caught:
        Emulator(dataclasses.replace(board, name="NEVER_BUILT")).start()
    assert str(caught.value).endswith(
        "NEVER_BUILT/firmware.elf is missing; run make firmware BOARD=NEVER_BUILT"
    )


@pytest.mark.parametrize(
    ("shell", "reason"),
    [("echo it is broken; exit 1", "it is broken"), ("exit 0", "it named no port")],
)
def test_emulator_that_ends_at_once_is_one_line(board: Board, shell: str, reason: str) -> None:
    with pytest.raises(ModthreadError) as caught:
        Emulator(with_command(board, "sh", "-c", shell)).start()
    assert str(caught.value) == f"sh did not start: {reason}"


def test_board_folder(fake_board: Callable[..., str]) -> None:
    board = boards.load(fake_board("MINE", time_scale=2.5))
    assert (board.name, board.time_scale) == ("MINE", 2.5)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "colour = 'red'",
        "description = '\xe4'",
        "description = 'a'\ntime_scale = 'x'",
        "description = 'a'\nemulator = 3",
        "description = 'a'\n[emulator]\ncommand = 'true'\ninstall = ''",
        "description = 'a'\n[emulator]\ncommand = [1]\ninstall = ''",
        "[emulator]\nicount = 'off'",
    ],
)
def test_wrong_board_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "board.toml").write_text(text, encoding="latin-1")
    with pytest.raises(ModthreadError) as caught:
        boards.load(str(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path / 'board.toml'}: ")
    assert "\n" not in str(caught.value)


def test_board_without_emulator_needs_a_port(tmp_path: Path) -> None:
    with pytest.raises(ModthreadError, match="PICO is not emulated; name its port with --port"):
        Device(Board("PICO", "a real one"), logs=tmp_path)


@pytest.mark.lane("long")
def test_board_on_a_port_is_reset_by_its_own_machine_module(
    fake_port: Callable[..., str], tmp_path: Path
) -> None:
    board = Board("REAL", "on a port")
    with closing(Device(board, fake_port("stuck"), logs=tmp_path)) as device:
        device.start()
        assert output_of(device, "print(6 * 7)") == b"42\r\n"
        device.log.close()
        notes = re.findall(r"# (.*)", device.log.path.read_text())
    assert notes == [
        "soft reset",
        "soft reset failed: the board did not answer in time",
        "a flood of Ctrl-C",
        "a flood of Ctrl-C failed: the board did not answer in time",
        "a start without boot.py",
        "a start without boot.py failed: the board did not answer in time",
        "opening the port again",
        "opening the port again failed: the board did not answer in time",
        "machine.reset()",
    ]
