"""The command `modthread run`: what it shows and with which status it exits."""

import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from processes import children, is_running

from modthread._base import project
from modthread._boards import boards
from modthread._firmware import build

pytestmark = pytest.mark.lane("test")  # each is a run of a command, beside a fake board

RUN = [sys.executable, "-m", "modthread", "run", "--no-build"]
CRASH = "import machine\nprint('before')\nmachine.mem32[0xf0000000] = 1\n"
DEAF = "import micropython\nmicropython.kbd_intr(-1)\nprint('deaf')\nwhile True: pass\n"
THREADS = """\
import _thread, time
def work():
    time.sleep(1000)
_thread.start_new_thread(work, ())
print('started')
_thread.allocate_lock().acquire()
while True:
    pass
"""
DYING_THREAD = """\
import _thread, time
def work():
    raise ValueError("deliberate")
_thread.start_new_thread(work, ())
time.sleep_ms(100)
"""


@pytest.fixture(scope="module", autouse=True)
def firmware() -> None:
    build.firmware(boards.load(boards.DEFAULT))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, timeout=300)


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a script."""

    def write(text: str) -> Path:
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return write


Write = Callable[[str], Path]


def complaints(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of stderr."""
    return result.stderr.splitlines()


def test_success(script: Write) -> None:
    result = run(script("print('hello')\nprint('end')"))
    assert (result.returncode, result.stdout, complaints(result)) == (0, "hello\nend\n", [])


def test_example() -> None:
    result = run(project.ROOT / "examples" / "two_threads.py")
    assert result.returncode == 0
    for number in (0, 1):
        assert result.stdout.count(f"Running thread {number}\n") == 5
    assert result.stdout.endswith("Both threads have finished\n")


def test_exception_is_1_with_the_hosts_lines(script: Write) -> None:
    path = script("def f(n):\n    return 1 // n\n\nprint('before')\nf(0)\n")
    result = run(path)
    assert (result.returncode, result.stdout) == (1, "before\n")
    assert complaints(result) == [
        "Traceback (most recent call last):",
        f'  File "{path}", line 5, in <module>',
        "    f(0)",
        f'  File "{path}", line 2, in f',
        "    return 1 // n",
        "ZeroDivisionError: divide by zero",
    ]


@pytest.mark.parametrize(
    ("statement", "status", "said"),
    [
        ("sys.exit(3)", 3, []),
        ("sys.exit(0)", 0, []),
        ("sys.exit()", 0, []),
        ("sys.exit(None)", 0, []),
        ("raise SystemExit(77)", 77, []),
        ("sys.exit('a reason')", 1, ["a reason"]),
        ("sys.exit(-1)", 255, []),
        ("sys.exit(False)", 0, []),
        ("1 // 0", 1, None),
    ],
)
def test_the_scripts_own_status(
    script: Write, statement: str, status: int, said: list[str] | None
) -> None:
    path = script(f"import sys\nprint('before')\nif True:\n    {statement}\nprint('not reached')\n")
    result = run(path)
    assert (result.returncode, result.stdout) == (status, "before\n")
    if said is not None:
        assert complaints(result) == said
    else:
        assert f'  File "{path}", line 4, in <module>' in complaints(result)


def test_an_exit_that_the_script_does_not_mention_is_1(script: Write) -> None:
    result = run(script("import sys\ngetattr(sys, 'ex' + 'it')(0)\n"))
    assert result.returncode == 1
    assert complaints(result) == [
        "modthread: SystemExit ended the script; with what status, is not known"
    ]


def test_syntax_error_is_1(script: Write) -> None:
    path = script("print('not reached')\ndef (:\n")
    result = run(path)
    assert (result.returncode, result.stdout) == (1, "")
    assert f'  File "{path}", line 2, in <module>' in complaints(result)
    assert "SyntaxError: invalid syntax" in complaints(result)


def test_thread_that_dies_is_shown_with_the_hosts_lines(script: Write) -> None:
    path = script(DYING_THREAD)
    result = run(path)
    assert result.returncode == 0
    assert f'  File "{path}", line 3, in work\n    raise ValueError' in result.stdout


def test_crash_is_3(script: Write) -> None:
    result = run(script(CRASH))
    assert result.returncode == 3
    assert result.stdout.startswith("before\n")
    assert complaints(result)[0].startswith("modthread: the board crashed: *** HardFault")


def test_reset_is_3(script: Write) -> None:
    result = run(script("import machine\nprint('before')\nmachine.reset()\n"))
    assert result.returncode == 3
    assert result.stdout.startswith("before\n")
    assert complaints(result) == ["modthread: the board has reset itself"]


def test_time_out_is_3_and_shows_where_and_which_threads(script: Write) -> None:
    path = script(THREADS)
    result = run("--timeout", "5", path)
    assert (result.returncode, result.stdout) == (3, "started\n")
    said = complaints(result)
    assert said[0] == "modthread: no end after 5 s"
    assert any(
        f'File "{path}", line 7' in line or f'File "{path}", line 8' in line for line in said
    )
    assert "KeyboardInterrupt:" in result.stderr
    assert [line.split()[1] for line in said[-5:-3]] == ["waiting", "running"]
    assert said[-3:] == ["thread 2, work:", f"{path}:3: in work", "    time.sleep(1000)"]


def test_flood_is_3(script: Write) -> None:
    result = run("--timeout", "5", script("while True:\n    print('flood')\n"))
    assert result.returncode == 3
    assert result.stdout.count("flood\n") > 100
    assert complaints(result)[0] == "modthread: no end after 5 s"


@pytest.mark.lane("long")
def test_deaf_script_is_3(script: Write) -> None:
    result = run("--timeout", "3", script(DEAF))
    assert (result.returncode, result.stdout) == (3, "deaf\n")
    assert complaints(result)[0] == "modthread: no end after 3 s"
    assert complaints(result)[1].startswith("modthread: Ctrl-C got no answer")


@pytest.mark.lane("long")
def test_a_megabyte(script: Write) -> None:
    result = run(
        script("line = 'x' * 1022\nfor i in range(1024):\n    print(line)\nprint('end')\n")
    )
    assert result.returncode == 0
    assert result.stdout == ("x" * 1022 + "\n") * 1024 + "end\n"


def test_bytes_that_are_no_text(script: Write) -> None:
    path = script("import sys\nsys.stdout.buffer.write(b'\\xff\\xc3\\x00\\xe2\\x82')\nprint('ä')\n")
    result = subprocess.run([*RUN, path], capture_output=True, timeout=300)
    assert result.returncode == 0
    assert result.stdout == b"\xff\xc3\x00\xe2\x82" + "ä\n".encode()


def test_a_byte_order_mark_is_not_sent(script: Write) -> None:
    result = run(script("\ufeffprint('hello')\n"))
    assert (result.returncode, result.stdout) == (0, "hello\n")


@pytest.mark.lane("long")
def test_long_script(script: Write) -> None:
    lines = [f"total = {number}  # " + "x" * 60 for number in range(1500)]
    result = run(script("\n".join([*lines, "print(total)", "1 // 0"])))
    assert (result.returncode, result.stdout) == (1, "1499\n")
    assert "line 1502, in <module>" in result.stderr


def test_ctrl_c_interrupts_the_script(script: Write) -> None:
    path = script(THREADS)
    # A shell that was started in the background hands down that SIGINT is ignored.
    command: list[str | Path] = ["env", "--default-signal=INT", *RUN, path]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130
    assert f'File "{path}", line ' in said
    assert "KeyboardInterrupt:" in said


def test_nobody_reads_on(script: Write) -> None:
    path = script("while True:\n    print('flood')\n")
    with subprocess.Popen(
        [*RUN, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "flood\n"
        process.stdout.close()
        assert process.wait(120) == 141
        assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_emulator_ends_with_the_command(script: Write, number: signal.Signals) -> None:
    path = script("print('started')\nwhile True: pass\n")
    with subprocess.Popen([*RUN, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        (emulator,) = children(process.pid)
        process.send_signal(number)
        process.wait(120)
    deadline = time.monotonic() + 120
    while is_running(emulator):
        assert time.monotonic() < deadline, f"the emulator {emulator} outlived {number.name}"
        time.sleep(0.05)


def test_on_a_port(script: Write, fake_port: Callable[..., str]) -> None:
    result = run("--port", fake_port(), script("print(6 * 7)\n"))
    assert (result.returncode, result.stdout, complaints(result)) == (0, "42\n", [])


def test_port_that_vanishes_is_3(script: Write, fake_port: Callable[..., str]) -> None:
    result = run("--port", fake_port(), script("print('before')\ndie()\n"))
    assert (result.returncode, result.stdout) == (3, "before\n")
    assert complaints(result)[0].startswith("modthread: the port has gone")


@pytest.mark.lane("long")
def test_dead_board_is_2(script: Write, fake_port: Callable[..., str]) -> None:
    result = run("--port", fake_port("silent"), script("print(1)\n"))
    assert (result.returncode, result.stdout) == (2, "")
    (said,) = complaints(result)
    assert said.startswith("modthread: tty_fake is dead: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--board", "NOPE", __file__],
            "unknown board 'NOPE'; known boards: MPS2_AN385, RPI_PICO, RPI_PICO_W;"
            " modthread boards --all",
        ),
        (["nothing.py"], "nothing.py: No such file or directory; name a Python script"),
        (["--port", "/dev/nothing", __file__], "/dev/nothing: no such port; connected: "),
        (["--icount", "nonsense", __file__], "qemu-system-arm did not start: "),
    ],
)
def test_wrong_use_is_2_with_one_line(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    (said,) = complaints(result)
    assert said.startswith(f"modthread: {message}")


@pytest.mark.parametrize(
    ("text", "verdict", "status", "output", "message"),
    [
        ("print('hello')", "passed", 0, "hello\n", ""),
        ("print(1)\n1 // 0", "exception", 1, "1\n", "ZeroDivisionError: divide by zero"),
        ("import sys\nsys.exit(7)", "exit", 7, "", ""),
        (
            "print(1)\nimport machine\nmachine.reset()",
            "crash",
            3,
            "1\n",
            "the board has reset itself",
        ),
        ("print(1)\nwhile True: pass", "timeout", 3, "1\n", "no end after 5 s"),
    ],
)
def test_verdict(
    script: Write, text: str, verdict: str, status: int, output: str, message: str
) -> None:
    """One line of JSON, and which firmware it was."""
    path = script(text)
    result = run("--json", "--timeout", "5", path)
    assert (result.returncode, complaints(result)) == (status, [])
    told = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert [told["verdict"], told["status"]] == [verdict, status]
    assert told["output"].startswith(output)
    assert message in told["messages"]
    assert (told["script"], told["board"]) == (str(path), "MPS2_AN385")
    assert re.fullmatch(r"MicroPython .*, modthread .*, FreeRTOS .*", told["firmware"])
    image = boards.load("MPS2_AN385").image
    assert told["image"] == str(image)
    assert told["image_sha256"] == hashlib.sha256(image.read_bytes()).hexdigest()


@pytest.mark.parametrize("arguments", [["--port", "/dev/nothing"], ["--icount", "nonsense"]])
def test_verdict_without_a_board(script: Write, arguments: list[str]) -> None:
    result = run("--json", *arguments, script("print(1)"))
    told = json.loads(result.stdout)
    assert (result.returncode, told["verdict"], told["status"]) == (2, "not run", 2)
    assert told["messages"].startswith("modthread: ")


def test_verdict_without_a_script() -> None:
    told = json.loads(run("--json", "nothing.py").stdout)
    assert (told["verdict"], told["messages"].count("\n")) == ("not run", 1)


@pytest.mark.parametrize("arguments", [[], ["--timeout", "0", "x.py"], ["--timeout", "x", "y.py"]])
def test_wrong_options_are_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert "usage: modthread run" in result.stderr
    assert "Traceback" not in result.stderr


def test_statuses_are_documented() -> None:
    help_text = run("--help").stdout
    for word in ("0 success", "1 a Python exception", "3 the board crashed", "130 interrupted"):
        assert word in help_text


def test_repl_opens_the_prompt() -> None:
    """Typed at as a person does, on a terminal of its own; Ctrl-] leaves it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "modthread", "repl", "--no-build"])
    seen = read_until(terminal, b"exit this shell")
    while termios.tcgetattr(terminal)[3] & termios.ICANON:  # it makes the terminal raw afterwards
        time.sleep(0.01)
    os.write(terminal, b"\rprint(6 * 7)\r")
    seen += read_until(terminal, b"42\r\n>>> ")
    os.write(terminal, b"\x1d")
    deadline = time.monotonic() + 120
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    assert b"Connected to MicroPython at /dev/pts/" in seen


def test_repl_comes_back_with_the_board(fake_port: Callable[..., str]) -> None:
    """As after a reset, or when it was unplugged."""
    port = fake_port()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "modthread", "repl", "--port", port])
    try:
        for answer in (b"OK42", b"OK43"):
            read_until(terminal, b"exit this shell")
            while termios.tcgetattr(terminal)[3] & termios.ICANON:
                time.sleep(0.01)
            os.write(terminal, b"print(%s)\x04" % answer[2:])
            read_until(terminal, answer)
            os.write(terminal, b"die()\x04")
            read_until(terminal, b"waiting for it")
            fake_port()
        read_until(terminal, b"exit this shell")
        while termios.tcgetattr(terminal)[3] & termios.ICANON:
            time.sleep(0.01)
        os.write(terminal, b"\x1d")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def read_until(terminal: int, ending: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + 120
    while ending not in seen:
        left = deadline - time.monotonic()
        assert select.select([terminal], [], [], max(0, left))[0], seen
        seen += os.read(terminal, 4096)
    return seen
