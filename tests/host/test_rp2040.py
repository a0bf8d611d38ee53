"""The firmware of RPI_PICO, and the emulator that boots it."""

import os
import re
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modthread._boards import boards
from modthread._boards.boards import Board
from modthread._emulators.emulator import Emulator
from modthread._emulators.strict import boot
from modthread._firmware import build
from modthread._link.session import BoardResetError, LineLostError
from modthread.device import Device
from modthread.errors import ModthreadError

Start = Callable[[str], Device]

pytestmark = pytest.mark.lane("long")  # the firmware is built where something has changed


# Its name in theirs: these tests build what the other tests on this board run, one after the other.
@pytest.fixture(scope="module", params=["RPI_PICO"])
def board(request: pytest.FixtureRequest) -> Board:
    board = boards.load(request.param)
    build.firmware(board)
    return board


@pytest.fixture
def start(board: Board, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts the board with this ``-icount``, in place of the last one."""
    emulated: Device | None = None

    def start(icount: str) -> Device:
        nonlocal emulated
        if emulated:
            emulated.close()
        emulated = Device(board, icount=icount, logs=tmp_path)
        emulated.start()
        return emulated

    yield start
    if emulated:
        emulated.close()


@pytest.fixture
def emulated(start: Start) -> Device:
    return start("sleep=off")


def pid_of(emulated: Device) -> int:
    assert emulated.emulator
    assert emulated.emulator.pid
    return emulated.emulator.pid


def output_of(emulated: Device, source: str) -> bytes:
    result = emulated.run(source, 120)
    assert result.error == b""
    return result.output


def stat(pid: int) -> list[str]:
    """Return what Linux says of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_second_build_rebuilds_nothing(board: Board) -> None:
    files = [board.firmware, board.firmware.with_suffix(".bin"), board.image]
    before = [path.stat().st_mtime_ns for path in files]
    build.firmware(board)
    assert before == [path.stat().st_mtime_ns for path in files]


def test_a_new_version_rebuilds_only_the_file_that_says_it(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))  # no repository: a version without a commit
    build.firmware(board)
    log = board.firmware.with_name("build.log").read_text()
    assert re.findall(r"Building \w+ object \S*/(\S+)\.o", log) == ["modthread.c"]
    assert build.version().encode() + b"\0" in board.firmware.read_bytes()
    monkeypatch.undo()
    build.firmware(board)
    assert build.version().encode() + b"\0" in board.firmware.read_bytes()


def test_image_is_the_binary_file_at_the_start_of_flash(board: Board) -> None:
    assert board.flash
    binary = board.firmware.with_suffix(".bin").read_bytes()
    flash = bytearray(len(binary) + 256)
    image = board.image.read_bytes()
    for position in range(0, len(image), 512):
        header = struct.unpack_from("<8I", image, position)
        magic, second_magic, _, address, size, _, _, family = header
        assert (magic, second_magic, family) == (0x0A324655, 0x9E5D5157, board.flash.rom.family)
        offset = address - board.flash.rom.start
        flash[offset : offset + size] = image[position + 32 : position + 32 + size]
    assert flash[: len(binary)] == binary


LIB = {"asyncio.threads", "concurrent.futures", "queue", "threading"}  # what ours has beside it
OFFERS = """
for name in {modules}:
    try:
        module = __import__(name)
    except Exception as error:
        print(name, repr(error))
        continue
    dir(module) # asyncio loads what is asked for
    for attribute in dir(module):
        print(name, attribute)
"""


def offers(emulated: Device) -> tuple[set[str], set[str]]:
    """Return the modules of a firmware, and the names in those that stock has, too."""
    listed = output_of(emulated, "help('modules')").decode()
    modules = listed.replace("/", ".").partition("Plus any")[0].split()
    # _boot.py and _boot_fat.py would mount the file system again.
    left_out = {"__main__", *LIB}
    quiet = [name for name in modules if name not in left_out and not name.startswith("_boot")]
    # In one order for all: a package has the modules as attributes that were imported before.
    source = OFFERS.replace("{modules}", repr(sorted(quiet)))
    return set(modules), set(output_of(emulated, source).decode().splitlines())


def test_everything_that_stock_firmware_offers_stays(board: Board, emulated: Device) -> None:
    stock_board = replace(board, name=f"{board.name}-stock")
    build.firmware(board, build.Threads.NONE)
    stock = Device(stock_board, icount="sleep=off", logs=emulated.log.path.parent)
    try:
        stock.start()
        stock_modules, stock_names = offers(stock)
    finally:
        stock.close()
    modules, names = offers(emulated)
    assert modules == stock_modules | LIB
    assert len(names) > 500
    assert stock_names - names == set()
    assert {name for name in names - stock_names if not name.startswith("_thread ")} == set()


def test_a_board_that_micropython_does_not_have_is_named(board: Board) -> None:
    with pytest.raises(ModthreadError) as error:
        build.firmware(Board("NO_SUCH_PICO", "not there", port="rp2", flash=board.flash))
    complaint = str(error.value).splitlines()[1]
    assert complaint.endswith("Invalid MICROPY_BOARD specified: NO_SUCH_PICO")


def test_size_report_names_the_kernel_and_the_heap(board: Board) -> None:
    lines = build.size_report(board).splitlines()
    assert lines[0].split() == ["RPI_PICO", "text", "data", "bss", "GC", "heap"]
    threads, stock, cost = ([int(number) for number in line.split()[-4:]] for line in lines[1:4])
    assert cost == [one - other for one, other in zip(threads, stock, strict=True)]
    assert -7 * 1024 <= cost[3] < 0  # hard handlers have a stack with margin and guards
    assert re.fullmatch(r"  lib/ has of these +\d+", lines[4])
    assert re.fullmatch(r"  FreeRTOS V[\d.]+, \d cores?", lines[5])


def test_emulator_boots_the_file_that_is_flashed(board: Board, emulated: Device) -> None:
    command = Path(f"/proc/{pid_of(emulated)}/cmdline").read_text().split("\0")
    assert str(board.image) in command
    assert emulated.info().startswith("MicroPython v1.")


def test_files_survive_a_reset_and_not_a_new_board(start: Start) -> None:
    emulated = start("sleep=off")
    output_of(emulated, "with open('kept', 'w') as file: file.write('text' * 1000)")
    with pytest.raises(BoardResetError, match="reset itself"):
        emulated.run("import machine\nmachine.reset()", 60)
    assert emulated.clean_up()
    assert output_of(emulated, "print(open('kept').read() == 'text' * 1000)") == b"True\r\n"
    emulated = start("sleep=off")
    assert output_of(emulated, "import os\nprint(os.listdir())") == b"[]\r\n"


@pytest.mark.parametrize("work", ["pass", "time.sleep(1)"])
def test_ctrl_c_reaches_the_script(emulated: Device, work: str) -> None:
    def interrupt(_: bytes) -> None:
        emulated.session.log.note("Ctrl-C")
        os.write(line, b"\x03")

    line = os.open(emulated.session.port, os.O_WRONLY | os.O_NOCTTY)
    try:
        result = emulated.run(f"import time\nprint('here')\nwhile True: {work}", 60, interrupt)
    finally:
        os.close(line)
    assert result.error.rstrip().endswith(b"KeyboardInterrupt:")


def test_a_long_script_arrives(emulated: Device) -> None:
    source = f"text = '{'x' * 10000}'\nprint(len(text))"
    assert output_of(emulated, source) == b"10000\r\n"


def test_idle_time_passes_at_once_in_tests(emulated: Device) -> None:
    used = cpu_seconds(pid_of(emulated))
    output_of(emulated, "import time\ntime.sleep(60)")
    assert cpu_seconds(pid_of(emulated)) - used < 20


def test_idle_time_is_real_where_a_person_looks_on(start: Start) -> None:
    emulated = start("sleep=on")
    started, used = time.monotonic(), cpu_seconds(pid_of(emulated))
    source = "import time\nbegin = time.ticks_us()\ntime.sleep(3)\n"
    said = output_of(emulated, source + "print(time.ticks_diff(time.ticks_us(), begin))")
    assert time.monotonic() - started > int(said) / 1e6
    assert cpu_seconds(pid_of(emulated)) - used < 1.5


def test_a_paused_board_goes_on_where_it_was(emulated: Device) -> None:
    assert emulated.emulator
    output_of(emulated, "import time\nbegin = time.ticks_ms()")
    emulated.emulator.pause()
    while stat(pid_of(emulated))[0] != "T":
        time.sleep(0.01)
    used = cpu_seconds(pid_of(emulated))
    time.sleep(2)
    assert cpu_seconds(pid_of(emulated)) == used
    emulated.emulator.resume()
    assert output_of(emulated, "print(6 * 7)") == b"42\r\n"


def test_a_breakpoint_ends_the_emulator(emulated: Device) -> None:
    source = "@micropython.asm_thumb\ndef stop():\n    data(2, 0xbe07)\nstop()"
    with pytest.raises(
        LineLostError, match=r"status 1 HardFault: BKPT 7 without a debugger 0x2\w+, at"
    ):
        emulated.run(source, 60)


NOWHERE = """
import machine
def called():
    machine.mem32[0x30000000]
called()
"""


def test_a_crash_is_told_in_terms_of_the_source(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODTHREAD_STRICT", "hardfault=taken")
    emulated = start("sleep=off")
    with pytest.raises(BoardResetError, match=r"HardFault \(exception 3\) at pc=") as caught:
        emulated.run(NOWHERE, 60)
    crash = emulated.crash_report(caught.value.output)
    assert crash
    assert re.search(r"^pc \w{8} machine_mem_subscr .*/extmod/machine_mem.c:\d+$", crash, re.M)
    called_by = ["mp_obj_subscr", "mp_execute_bytecode", "fun_bc_call", "parse_compile_execute"]
    functions = re.findall(r"^   \w{8} (\w+) \S+:\d+$", crash, re.M)
    assert [name for name in dict.fromkeys(functions) if name in called_by] == called_by
    assert emulated.clean_up()


def test_what_the_chip_refuses_ends_the_emulator(emulated: Device) -> None:
    place = r"at \w{8} machine_mem_subscr .*/extmod/machine_mem.c:\d+$"
    with pytest.raises(
        LineLostError, match=f"status 1 HardFault: read from no memory 0x30000000, {place}"
    ):
        emulated.run(NOWHERE, 60)


def test_boots_as_stock_does(board: Board) -> None:
    build.firmware(board, build.Threads.NONE)
    stock, ours = (
        boot.booted(replace(board, name=f"{board.name}{kind}").image) for kind in ("-stock", "")
    )
    assert boot.differences(stock, ours) == []
    assert len(ours.writes) > 400
    assert not ours.unwritten  # what begins is zeroed or copied first


@pytest.mark.parametrize("seed", [1, 2])
def test_boots_whatever_ram_holds(seed: int, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODTHREAD_STRICT", f"ram={seed}")
    assert output_of(start("sleep=off"), "print(1 + 1)") == b"2\r\n"


def test_a_wrong_rule_is_one_line(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODTHREAD_STRICT", "nonsense")
    with pytest.raises(
        ModthreadError, match=r"^python\S* did not start: .*-strict 'nonsense'"
    ) as error:
        Emulator(board).start()
    assert "\n" not in str(error.value)


def test_a_wrong_icount_is_one_line(board: Board) -> None:
    with pytest.raises(
        ModthreadError, match=r"^python\S* did not start: .*invalid choice"
    ) as error:
        Emulator(board, "shift=5").start()
    assert "\n" not in str(error.value)
