"""The pytest plugin, seen by a project with device tests of its own: real runs of pytest."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import serial

from modthread._boards import boards
from modthread._boards.reservation import Reservation
from modthread._firmware import build
from modthread.plugin.xdist_plan import CHECKS, processors, pytest_xdist_auto_num_workers

pytestmark = pytest.mark.lane("test")  # each is a run of pytest

Make = Callable[..., str]
Run = Callable[..., subprocess.CompletedProcess[str]]

TESTS = """\
import pytest

def helper(n):
    assert n == 3, "not three"

def test_passes():
    helper(3)

@pytest.mark.parametrize("n", [3, 4])
def test_numbers(n):
    print("hello", n)
    helper(n)
"""


def verdicts(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Return what -rA says of every test: its name and PASSED, FAILED or ERROR."""
    found = re.findall(
        r"^(PASSED|FAILED|ERROR) tests/device/test_it.py::(\S+)", result.stdout, re.M
    )
    return {name: verdict for verdict, name in found}


def options_for(fake_board: Make, *names: str) -> list[str]:
    """Make fake boards that start well; return the options that choose them."""
    return [option for name in names for option in ("--board", fake_board(name))]


def test_collecting_needs_no_board(run: Run, fake_board: Make) -> None:
    board = fake_board(start="silent")
    for where in ("", "@E661-not-attached", "@/dev/nothing"):
        result = run(TESTS, "--board", f"{board}{where}", "--collect-only", "-q")
        assert result.returncode == 0, result.stdout
        assert "board FAKE" not in result.stdout
        assert result.stdout.splitlines()[:3] == [
            "tests/device/test_it.py::test_passes[FAKE]",
            "tests/device/test_it.py::test_numbers[3-FAKE]",
            "tests/device/test_it.py::test_numbers[4-FAKE]",
        ]


def test_in_parallel_a_file_stays_with_one_process(run: Run, fake_board: Make) -> None:
    names = ["ONE", "TWO", "THREE"]
    chosen = options_for(fake_board, *names)
    result = run(TESTS, *chosen, "-n", "2", "-v")
    assert "3 failed, 6 passed" in result.stdout
    for name in names:
        verdicts = rf"^\[(gw\d)\] .* (?:PASSED|FAILED) \S+{name}\]"
        assert len(set(re.findall(verdicts, result.stdout, re.M))) == 1
        line = rf"^board {name}: MicroPython .*, modthread fake, no kernel$"
        assert len(re.findall(line, result.stdout, re.M)) == 1


def test_in_parallel_each_process_has_an_emulated_board(
    run: Run, fake_board: Make, tmp_path: Path
) -> None:
    tests = tmp_path / "project" / "tests" / "device"
    tests.mkdir(parents=True)
    (tests / "test_other.py").write_text(TESTS)
    result = run(TESTS, *options_for(fake_board, "ONE"), "-n", "2", "-v")
    assert "2 failed, 4 passed" in result.stdout
    verdicts = r"^\[(gw\d)\] .* (?:PASSED|FAILED) tests/device/(\w+)\.py"
    processes = dict(re.findall(verdicts, result.stdout, re.M))
    assert set(processes) == {"gw0", "gw1"}, "one process, or two for the tests of a file"
    assert set(processes.values()) == {"test_it", "test_other"}
    assert len(re.findall(r"^board ONE: MicroPython ", result.stdout, re.M)) == 1


SLEEPING = """\
import time
import pytest

@pytest.mark.parametrize("number", [0, 1, 2])
def test_sleeps(number):
    time.sleep(7)
"""
TIMES = """\
import time
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    start = time.monotonic()
    yield
    with open("times.txt", "a") as times:
        print(item.nodeid, start, time.monotonic(), file=times)
"""


def calls(times: str) -> dict[str, list[tuple[float, float]]]:
    """Return when the calls on each board have started and ended."""
    found = re.findall(r"::test_sleeps\[\d-(\w+)\] (\S+) (\S+)\n", times)
    return {
        name: [(float(start), float(end)) for board, start, end in found if board == name]
        for name, _, _ in found
    }


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


@pytest.mark.lane("long")
def test_two_boards_take_the_time_of_one(run: Run, fake_board: Make, tmp_path: Path) -> None:
    """From the first call's start to the last one's end; the tests need no processor."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "conftest.py").write_text(TIMES)
    times, chosen = project / "times.txt", options_for(fake_board, "ONE", "TWO")
    took = []
    for parallel in ([], ["-n", "2"]):
        assert "6 passed" in run(SLEEPING, *chosen, *parallel).stdout
        on = calls(times.read_text())
        overlaps = [overlap(one, two) for one in on["ONE"] for two in on["TWO"]]
        assert any(overlaps) == bool(parallel), on
        every = on["ONE"] + on["TWO"]
        took.append(max(end for _, end in every) - min(start for start, _ in every))
        times.unlink()
    assert took[1] <= 0.6 * took[0], took  # 21 s of 42: 4 s to spare


def test_a_port_is_not_for_several_processes(run: Run, fake_board: Make) -> None:
    result = run(TESTS, "--board", f"{fake_board()}@/dev/null", "-n2", "--dist=each")
    assert result.returncode == 4
    assert "ERROR: FAKE is for one process: leave out --dist each" in result.stderr


def test_auto_is_a_process_for_each_board(run: Run, fake_board: Make) -> None:
    names = [f"BOARD{number}" for number in range(processors() + 1)]
    chosen = options_for(fake_board, *names)
    assert f"{len(names)} workers [" in run(TESTS, *chosen, "-n", "auto").stdout


def test_auto_is_several_processes_for_each_processor_in_the_lane_check(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "lane", "check")
    assert pytest_xdist_auto_num_workers(pytestconfig) == CHECKS * processors()


def test_processors_are_counted_on_any_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processors() == os.cpu_count()


CHOSEN = """\
import pytest

@pytest.mark.boards("OTHER")
def test_elsewhere():
    pass

@pytest.mark.lane("hours", "FAKE", "OTHER")
def test_slow():
    pass

@pytest.mark.boards("OTHER", "FAKE")
@pytest.mark.lane("hours", "OTHER")
def test_quick():
    pass
"""


def test_marks_choose_boards(run: Run, fake_board: Make) -> None:
    collect = ("--board", fake_board(start="silent"), "--collect-only", "-q")
    quick = run(CHOSEN, *collect).stdout
    assert "::test_quick[FAKE]" in quick
    assert "1/2 tests collected (1 deselected)" in quick
    everything = run(CHOSEN, *collect, "--lane=all").stdout
    assert "::test_slow[FAKE]" in everything
    assert "::test_elsewhere" not in everything
    assert "::test_quick" not in run(CHOSEN, *collect, "--lane=hours").stdout


def test_a_test_that_is_named_runs_whatever_its_lane(run: Run, fake_board: Make) -> None:
    board = ("--board", fake_board(start="silent"), "--collect-only", "-q")
    named = run(CHOSEN, *board, "tests/device/test_it.py::test_slow").stdout
    assert "::test_slow[FAKE]" in named
    assert "::test_quick" not in named


def test_an_unknown_lane_is_one_line(run: Run, fake_board: Make) -> None:
    result = run(CHOSEN, "--board", fake_board(start="silent"), "--lane=slow")
    assert result.stderr.strip() == (
        "ERROR: no lane 'slow'; there are check, test, long, hours, and 'all'"
    )
    assert "FAKE" not in result.stdout  # it was not started


def test_a_test_for_other_boards_is_skipped(fake_board: Make, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.boards('OTHER')\ndef test_a(device):\n    pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-rs", f"--board={fake_board()}", "test_it.py"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "test_it.py:2: is for OTHER" in result.stdout
    assert "1 skipped" in result.stdout


def test_passes_and_failure(run: Run, fake_board: Make, tmp_path: Path) -> None:
    result = run(TESTS, "--board", fake_board(), "-rA")
    assert result.returncode == 1
    assert verdicts(result) == {
        "test_passes[FAKE]": "PASSED",
        "test_numbers[3-FAKE]": "PASSED",
        "test_numbers[4-FAKE]": "FAILED",
    }
    assert re.search(
        r"^board FAKE: MicroPython .*, modthread fake, no kernel$", result.stdout, re.M
    )
    assert (
        "tests/device/test_it.py:12: in test_numbers\n"
        "    helper(n)\n"
        "tests/device/test_it.py:4: in helper\n"
        '    assert n == 3, "not three"\n'
        "E   AssertionError: not three\n"
    ) in result.stdout
    assert "test_numbers[4-FAKE] - AssertionError: not three" in result.stdout
    assert re.search(r"stdout call -+\nhello 4\n", result.stdout)
    log = tmp_path / "project" / "build" / "logs"
    log /= "tests_device_test_it.py_test_numbers[4-FAKE].log"
    traffic = rf"serial traffic call -+\n{re.escape(str(log))} ends with\n(( +[\d.]+ [<>#] .*\n)+)"
    shown = re.search(traffic, result.stdout)
    assert shown
    assert "hello 4" in shown[1]
    assert len(shown[1].splitlines()) <= 50
    assert "hello 4" in log.read_text()


def test_the_reproduction_is_a_command(run: Run, fake_board: Make, tmp_path: Path) -> None:
    board = fake_board("A&B")
    result = run(TESTS, "--board", board, "--board", fake_board("OTHER"), "--device-timeout", "7")
    commands = re.findall(r"^To run it again: (pytest .*)\n", result.stdout, re.M)
    assert len(commands) == 2
    again = subprocess.run(
        f"{sys.executable} -m {commands[0]} -rA",
        shell=True,
        cwd=tmp_path / "project",
        capture_output=True,
        text=True,
    )
    assert verdicts(again) == {"test_numbers[4-A&B]": "FAILED"}
    assert commands[0] in again.stdout


VANISHING = """\
import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

info = ListPortInfo({port!r})
info.serial_number = "E661AAAA"
list_ports.comports = lambda: [info]

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    list_ports.comports = list
"""


def test_a_board_that_vanishes_is_still_in_the_reproduction(
    run: Run, fake_port: Make, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "conftest.py").write_text(VANISHING.format(port=fake_port()))
    result = run("def test_a():\n    assert False\n", "--board", "E661AAAA")
    assert "1 failed" in result.stdout, result.stdout
    assert re.search(r"^To run it again: pytest .* --board E661AAAA", result.stdout, re.M)


def test_a_test_is_chosen_by_its_name(run: Run, fake_board: Make) -> None:
    name = "tests/device/test_it.py::test_numbers[4-FAKE]"
    result = run(TESTS, "--board", fake_board(), "-rA", name)
    assert verdicts(result) == {"test_numbers[4-FAKE]": "FAILED"}


def test_one_result_per_board(run: Run, fake_board: Make) -> None:
    options = options_for(fake_board, "ONE", "TWO")
    result = run(TESTS, *options, "-rA", "-k", "test_passes")
    assert verdicts(result) == {"test_passes[ONE]": "PASSED", "test_passes[TWO]": "PASSED"}


MISBEHAVING = """\
import pytest
pytestmark_ = 1

@pytest.mark.device_timeout(3)
def test_flood():
    flood()

@pytest.mark.device_timeout(3)
def test_deaf():
    flood(True)

@pytest.mark.device_timeout(3)
def test_hang():
    hang()

def test_die():
    print("last words")
    die()

def test_reset():
    reset()

def test_exit():
    raise SystemExit

def test_passes():
    print(1)
"""


@pytest.mark.lane("long")
def test_each_misbehaviour_fails_that_test_alone(run: Run, fake_board: Make) -> None:
    text = MISBEHAVING
    for name in ("flood", "deaf", "hang", "die", "reset", "exit"):
        text += f"\ndef test_after_{name}():\n    pass\n"
    names = re.findall(r"def (test_\w+)", text)
    order = sorted(names, key=lambda n: n.removeprefix("test_after_").removeprefix("test_"))
    board = fake_board()
    ids = [f"tests/device/test_it.py::{name}[FAKE]" for name in order]
    result = run(text, "--board", board, "-rA", *ids)
    failing = ("test_flood", "test_deaf", "test_hang", "test_die", "test_reset", "test_exit")
    expected = {f"{name}[FAKE]": "FAILED" if name in failing else "PASSED" for name in names}
    assert verdicts(result) == expected, result.stdout
    for name, message in (
        ("flood", "no end after 3 s"),
        ("deaf", "no end after 3 s"),
        ("hang", "no end after 3 s"),
        ("die", "the emulator ended with status 7"),
        ("reset", "the board has reset itself"),
        ("exit", "SystemExit ended the test"),
    ):
        assert f"::test_{name}[FAKE] - {message}" in result.stdout
    assert "Ctrl-C found the main thread here:\ntests/device/test_it.py:6: in test_flood" in (
        result.stdout
    )
    assert "1  running" in result.stdout
    assert "Ctrl-C brought no answer" in result.stdout
    assert "last words" in result.stdout
    assert len(result.stdout) < 100_000


DIES_AT_A_SOFT_RESET = """
def test_it():
    import __main__, os
    write = __main__.FakeBoard.write
    def dies(board, text):
        os._exit(9) if "soft reboot" in str(text) else write(board, text)
    __main__.FakeBoard.write = dies
"""


def test_what_ends_the_emulator_after_a_test_is_told(run: Run, fake_board: Make) -> None:
    result = run(DIES_AT_A_SOFT_RESET, "--board", fake_board(), "-rA")
    assert verdicts(result) == {"test_it[FAKE]": "ERROR"}
    assert "no soft reset worked after the test: " in result.stdout
    assert "the emulator ended with status 9" in result.stdout


def test_dead_board_is_an_error_and_the_others_go_on(run: Run, fake_board: Make) -> None:
    options = [
        "--board",
        fake_board("DEAD", start="silent", time_scale=0.1),
        "--board",
        fake_board("GOOD"),
    ]
    result = run(TESTS, *options, "-rA", "-k", "test_passes or test_numbers and 3")
    assert verdicts(result) == {
        "test_passes[DEAD]": "ERROR",
        "test_numbers[3-DEAD]": "ERROR",
        "test_passes[GOOD]": "PASSED",
        "test_numbers[3-GOOD]": "PASSED",
    }
    assert "board DEAD: DEAD is dead: " in result.stdout
    assert "items.py" not in result.stdout


@pytest.mark.lane("long")
def test_board_that_dies_for_good_is_an_error_from_then_on(
    run: Run, fake_port: Make, tmp_path: Path
) -> None:
    """A port cannot be restarted: what comes after the death says so."""
    folder = tmp_path / "REAL"
    folder.mkdir()
    (folder / "board.toml").write_text('description = "on a port"\n')
    project = tmp_path / "project"
    project.mkdir()
    text = "def test_a():\n    pass\n\ndef test_b():\n    die()\n\ndef test_c():\n    pass\n"
    result = run(text, "--board", f"{folder}@{fake_port()}", "-rA")
    assert "1 failed, 1 passed, 2 errors" in result.stdout, result.stdout
    assert "test_b[REAL] - the port has gone" in result.stdout
    assert verdicts(result)["test_c[REAL]"] == "ERROR"
    assert re.search(r"\nREAL is dead: .*/tty-fake: no such port", result.stdout)
    assert "Traceback" not in result.stdout
    assert "items.py" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--board", "NOPE"],
            "unknown board 'NOPE'; known boards: MPS2_AN385, RPI_PICO, RPI_PICO_W;"
            " modthread boards --all",
        ),
        (["--board", "/dev/nothing"], "/dev/nothing: no such port; connected: "),
        (["--icount", "nonsense"], "qemu-system-arm did not start: "),
    ],
)
def test_wrong_use_is_one_line(run: Run, arguments: list[str], message: str) -> None:
    result = run(TESTS, *arguments)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert re.search(rf"^ERROR: {re.escape(message)}", result.stdout + result.stderr, re.M)
    assert "Traceback" not in result.stdout + result.stderr


def test_a_path_that_pytest_would_take_for_a_test_is_refused(
    fake_board: Make, tmp_path: Path
) -> None:
    project, board = tmp_path / "project", fake_board()
    (project / "tests").mkdir(parents=True)
    (project / "pyproject.toml").write_text("[tool.modthread]\ndevice-tests = ['tests']\n")
    (project / "tests/test_it.py").write_text("def test_it():\n    write('on the board')\n")
    command = [sys.executable, "-m", "pytest", "--no-build"]
    apart = subprocess.run(
        [*command, "--board", board], cwd=project, capture_output=True, text=True
    )
    assert apart.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: write --board={board}, or pytest takes it for a test's path" in apart.stderr
    together = [*command, f"--board={board}"]
    result = subprocess.run(together, cwd=project, capture_output=True, text=True)
    assert "1 passed" in result.stdout


def test_a_board_in_use_is_an_error_of_each_test(run: Run, fake_port: Make) -> None:
    port = fake_port()
    with closing(Reservation(port)):
        alone = run(TESTS, f"--board={port}")
        parallel = run(TESTS, f"--board={port}", "-n1", "-rA")
    who = rf"{port} is in use by .* \(process {os.getpid()} of .*; wait for it with --wait SECONDS"
    assert alone.returncode == pytest.ExitCode.USAGE_ERROR
    assert re.search(rf"^ERROR: {who}$", alone.stderr, re.MULTILINE)
    assert "3 errors" in parallel.stdout
    assert len(re.findall(rf"^{who}$", parallel.stdout, re.MULTILINE)) == 3
    assert "Traceback" not in parallel.stdout


def test_a_board_without_modthread_is_not_dead(run: Run, fake_port: Make) -> None:
    result = run(TESTS, f"--board={fake_port('bare')}")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert re.search(
        r"^ERROR: tty_fake runs no modthread \(\w*Error: .*\); put it there with --flash$",
        result.stderr,
        re.MULTILINE,
    )


def test_busy_port_is_one_line(run: Run, fake_port: Make) -> None:
    port = fake_port()
    with serial.Serial(port, exclusive=True):
        result = run(TESTS, "--board", port)
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {port} is in use by another program" in result.stdout + result.stderr


def test_what_cannot_be_collected_is_one_line(run: Run, fake_board: Make) -> None:
    result = run("def test_a(size):\n    pass\n", "--board", fake_board())
    assert result.returncode == pytest.ExitCode.INTERRUPTED
    assert "test_it.py:1: test_a takes ['size'], parametrize gives []" in result.stdout
    assert "Traceback" not in result.stdout


MARKED = """\
import pytest

@pytest.mark.expect_output(r"^Unhandled exception in thread started by <worker>$")
def test_wanted():
    print("Unhandled exception in thread started by <worker>")

def test_unwanted():
    print("Unhandled exception in thread started by <worker>")

def test_unwanted_of_threading():
    print("Exception in thread worker 1:")

@pytest.mark.expect_output("four")
def test_missing():
    print("three")

@pytest.mark.skip(reason="not today")
def test_skipped():
    die()

@pytest.mark.xfail(reason="known", strict=True)
def test_expected_failure():
    assert False
"""


def test_marks(run: Run, fake_board: Make) -> None:
    result = run(MARKED, "--board", fake_board(), "-rA")
    assert verdicts(result) == {
        "test_wanted[FAKE]": "PASSED",
        "test_unwanted[FAKE]": "FAILED",
        "test_unwanted_of_threading[FAKE]": "FAILED",
        "test_missing[FAKE]": "FAILED",
    }
    assert "1 skipped, 1 xfailed" in result.stdout
    assert "- an exception ended a thread, see the output" in result.stdout
    assert "- the output does not match 'four'" in result.stdout


def test_time_scale_stretches_the_limit(run: Run, fake_board: Make) -> None:
    text = "import time\ndef test_slow():\n    time.sleep(1.5)\n"
    limit = ["--device-timeout", "1"]
    assert "no end after 1 s" in run(text, "--board", fake_board("FAST"), *limit).stdout
    assert run(text, "--board", fake_board("SLOW", time_scale=60.0), *limit).returncode == 0


def test_host_test_with_a_board(run: Run, fake_board: Make, tmp_path: Path) -> None:
    host = tmp_path / "project" / "tests" / "test_host.py"
    host.parent.mkdir(parents=True)
    host.write_text(
        "def test_it(device):\n    assert device.run('print(6 * 7)', 5).output == b'42\\r\\n'\n"
    )
    options = options_for(fake_board, "ONE", "TWO")
    result = run(TESTS, *options, "-v", "-k", "test_it and not numbers and not passes")
    for name in ("ONE", "TWO"):
        assert f"tests/test_host.py::test_it[{name}] PASSED" in result.stdout


def test_a_project_may_be_below_a_folder_of_that_name(tmp_path: Path) -> None:
    project = tmp_path / "tests/device/project"
    project.mkdir(parents=True)
    (project / "pytest.ini").touch()
    (project / "test_host.py").write_text("def test_it():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert result.stdout.splitlines()[0] == "test_host.py::test_it"


OTHER_DEVICES = {
    "test_fixture.py": """\
import pytest

@pytest.fixture
def device():
    return "a lamp"

def test_a(device):
    assert device == "a lamp"
""",
    "test_mark.py": """\
import pytest

@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_b(device):
    assert device in ("cpu", "cuda")
""",
    "test_hook.py": """\
def pytest_generate_tests(metafunc):
    metafunc.parametrize("device", ["cpu"])

def test_c(device):
    assert device == "cpu"
""",
    "test_extended.py": """\
import pytest

@pytest.fixture
def device(device):
    return device, 42

def test_d(device):
    assert device[0].run("print(1)", 5).output == b"1\\r\\n"
""",
}


def test_others_have_devices_too(fake_board: Make, tmp_path: Path) -> None:
    for name, text in OTHER_DEVICES.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-v", "--no-build", f"--board={fake_board()}"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    tests = {"test_a", "test_b[cpu]", "test_b[cuda]", "test_c[cpu]", "test_d[FAKE]"}
    assert set(re.findall(r"::(\S+) PASSED", result.stdout)) == tests, result.stdout


EMULATED = """\
import pytest
import machine

@pytest.mark.device_timeout(4)
def test_1_flood():
    while True:
        print("flood")

@pytest.mark.device_timeout(3)
def test_2_deaf():
    import micropython
    micropython.kbd_intr(-1)
    while True:
        pass

def test_3_reset():
    machine.reset()

def test_4_crash():
    machine.mem32[0xf0000000] = 1

@pytest.mark.device_timeout(4)
def test_5_threads():
    import _thread
    lock = _thread.allocate_lock()
    lock.acquire()
    def work():
        lock.acquire()
    _thread.start_new_thread(work, ())
    lock.acquire()

def test_6_thread_dies():
    import _thread, time
    def work():
        assert 1 == 2
    _thread.start_new_thread(work, ())
    time.sleep_ms(50)

def test_7_passes():
    assert 6 * 7 == 42
"""


@pytest.mark.lane("long")
def test_emulated_board_is_recovered_after_each(run: Run) -> None:
    build.firmware(boards.load(boards.DEFAULT))
    result = run(EMULATED, "-rA")
    assert "6 failed, 1 passed" in result.stdout, result.stdout
    board = boards.DEFAULT
    assert verdicts(result)[f"test_7_passes[{board}]"] == "PASSED"
    for name, message in (
        ("1_flood", "no end after 4 s"),
        ("2_deaf", "no end after 3 s"),
        ("3_reset", "the board has reset itself"),
        ("4_crash", r"the board crashed: \*\*\* HardFault"),
        ("5_threads", "no end after 4 s: deadlock of main alone"),
        ("6_thread_dies", "an exception ended a thread"),
    ):
        assert re.search(rf"::test_{name}\[{board}\] - {message}", result.stdout)
    assert "tests/device/test_it.py:7: in test_1_flood" in result.stdout
    assert "tests/device/test_it.py:30: in test_5_threads\n    lock.acquire()" in result.stdout
    place = "tests/device/test_it.py:28: in work\n    lock.acquire()"
    assert f"thread 2, work:\n{place}" in result.stdout
    assert re.search(r" 2  waiting .*  work\n +1  running .*  main\n", result.stdout)
    waits = r"thread 2 \(work\) waits for Lock 0x\w+, taken by main\nmain waits for Lock .* itself"
    assert re.search(waits, result.stdout)
    calls = r"^\*\*\* HardFault .*(\n.+)+ machine_mem_subscr "
    assert re.search(calls, result.stdout, re.MULTILINE)
    assert 'File "tests/device/test_it.py", line 35, in work\n    assert 1 == 2' in result.stdout
