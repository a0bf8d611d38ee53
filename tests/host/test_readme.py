"""README.md is true: its commands work and print what it shows."""

import os
import pty
import re
import signal
import subprocess
import termios
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modthread._base.project import BUILD, ROOT
from modthread._boards import boards

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
pytestmark = pytest.mark.lane("long")

LIMIT = 3600.0  # seconds: `make bench` builds and measures several boards
# What keeps a command from running this test again.
COLLECT_ONLY = {"PYTEST_ADDOPTS": "--collect-only --quiet"}
ENVIRONMENT = {"make test": COLLECT_ONLY}


def start(command: str, terminal: int) -> subprocess.Popen[str]:
    """Start a command in the checkout as a shell in the virtual environment would."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment |= {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"}
    # A shell that was started in the background hands down that SIGINT is ignored.
    return subprocess.Popen(
        ["env", "--default-signal=INT", "sh", "-c", command],
        cwd=ROOT,
        env=environment | ENVIRONMENT.get(command, {}),
        text=True,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@contextmanager
def bounded(process: subprocess.Popen[str]) -> Iterator[None]:
    """End the process and its children at the limit, or at the end of the block."""
    end = threading.Timer(LIMIT, os.killpg, (process.pid, signal.SIGKILL))
    end.start()
    try:
        yield
    finally:
        end.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def run(command: str) -> str:
    """Run a command to its end, typing something at its prompt; return what it printed."""
    ours, theirs = pty.openpty()
    process = start(command, theirs)
    with bounded(process):
        output = calculate(process, ours, theirs) if command == "make repl" else ""
        output += visit(process) if "web_server" in command else ""
        assert process.stdout
        output += process.stdout.read()
        process.wait()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0 or "KeyboardInterrupt" in output, output
    return output


def visit(process: subprocess.Popen[str]) -> str:
    """Look at the page of the board's web server, then press Ctrl-C; return what was printed."""
    assert process.stdout
    output = ""
    while "until Ctrl-C" not in output and (line := process.stdout.readline()):
        output += line
    [address] = re.findall(r"port 80 of the board is (\S+) here", output)
    with urllib.request.urlopen(f"http://{address}/", timeout=60) as page:
        assert re.fullmatch(rb"\d+ samples, the last one is \d+\n", page.read())
    os.killpg(process.pid, signal.SIGINT)
    return output


def calculate(process: subprocess.Popen[str], ours: int, theirs: int) -> str:
    """Type a calculation at the prompt and leave it; return what is printed until then."""
    while termios.tcgetattr(theirs)[3] & termios.ICANON:  # until there is a prompt
        assert process.poll() is None
        time.sleep(0.1)
    os.write(ours, b"print(6 * 7)\r")
    assert process.stdout
    output = ""
    while not output.endswith("\n42\n") and (line := process.stdout.readline()):
        output += line
    os.write(ours, b"\x1d")
    return output


# test_bench.py runs as much once, which takes minutes, too.
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=pytest.mark.lane("hours") if command == "make bench" else ())
        for command in COMMANDS
    ],
)
def test_command_works(command: str) -> None:
    output = run(command)
    assert command != "make repl" or "\n42\n" in output


def test_run_prints_what_is_shown() -> None:
    [shown] = re.findall(r"^```\n(Running.*?)```", README, re.DOTALL | re.MULTILINE)
    *lines, last = shown.splitlines()
    *printed, end = run("make run").splitlines()[-len(lines) - 1 :]
    assert sorted(printed) == sorted(lines)  # both threads wake at once at times
    assert end == last


def test_the_python_that_is_shown_runs(tmp_path: Path) -> None:
    [shown] = re.findall(r"^```python\n(.*?)```", README, re.DOTALL | re.MULTILINE)
    script = tmp_path / "script.py"
    script.write_text(shown)
    assert run(f"make run SCRIPT={script}").endswith("False\n")


def test_second_run_rebuilds_nothing(tmp_path: Path) -> None:
    firmware = BUILD / boards.DEFAULT / "firmware.elf"
    script = tmp_path / "script.py"
    script.write_text("print('here')\n")
    run("make run")
    before = firmware.stat().st_mtime_ns
    assert run(f"make run SCRIPT={script}").endswith("here\n")
    assert firmware.stat().st_mtime_ns == before


def test_make_run_fails_where_the_script_fails(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('before')\n1 / 0\n")
    process = start(f"make run SCRIPT={script}", subprocess.DEVNULL)
    with bounded(process):
        output, _ = process.communicate()
    assert process.returncode != 0
    assert "before\n" in output
    assert f'File "{script}", line 2' in output
    assert "ZeroDivisionError" in output
