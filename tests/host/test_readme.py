"""README.md is true: its commands work, print what it shows, and its links lead somewhere."""

import os
import pty
import re
import resource
import subprocess
import time
from pathlib import Path

import pytest

from modthread.project import BUILD, ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
# What keeps a command from running this test again, and a prompt from waiting for ever.
COLLECT_ONLY = {"PYTEST_ADDOPTS": "--collect-only --quiet"}
ENVIRONMENT = {"make test": COLLECT_ONLY}
TYPED = {"make repl": b"print(6 * 7)\r\x1d"}


def start(command: str, terminal: int) -> subprocess.Popen[str]:
    """Start a command in the checkout as a shell in the virtual environment would."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment |= {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"}
    return subprocess.Popen(
        command,
        shell=True,
        cwd=ROOT,
        env=environment | ENVIRONMENT.get(command, {}),
        text=True,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run(command: str) -> str:
    """Run a command to its end, typing what TYPED says; return what it printed."""
    ours, theirs = pty.openpty()
    process = start(command, theirs)
    try:
        if command in TYPED:
            time.sleep(5)
            os.write(ours, TYPED[command])
        output, _ = process.communicate(timeout=900)
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0, output
    return output


def cpu_seconds() -> float:
    """Return the processor time that this process's finished children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("command", COMMANDS)
def test_command_works(command: str) -> None:
    run(command)


def test_run_prints_what_is_shown() -> None:
    [shown] = re.findall(r"^```\n(Running.*?)```", README, re.DOTALL | re.MULTILINE)
    *lines, last = shown.splitlines()
    *printed, end = run("make run").splitlines()[-len(lines) - 1 :]
    assert sorted(printed) == sorted(lines)  # both threads wake at once at times
    assert end == last


def test_second_run_is_quick_and_rebuilds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('here')\n")
    run("make run")
    before = {path: path.stat().st_mtime_ns for path in BUILD.glob("*/firmware.elf")}
    started = cpu_seconds()
    assert run(f"make run SCRIPT={script}").endswith("here\n")
    assert cpu_seconds() - started < 5  # other tests' load must not count
    assert before == {path: path.stat().st_mtime_ns for path in BUILD.glob("*/firmware.elf")}


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", README))
def test_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_make_run_fails_where_the_script_fails(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('before')\n1 / 0\n")
    process = start(f"make run SCRIPT={script}", subprocess.DEVNULL)
    output, _ = process.communicate(timeout=900)
    assert process.returncode != 0
    assert "before\n" in output
    assert f'File "{script}", line 2' in output
    assert "ZeroDivisionError" in output
