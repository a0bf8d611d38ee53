"""The command `modthread` as a whole: help, completion, and what it leaves to pytest."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modthread._base.project import ROOT, version

pytestmark = pytest.mark.lane("test")  # each is a run of a command

COMMANDS = [
    "bench",
    "boards",
    "firmware",
    "flash",
    "monitor",
    "port",
    "release",
    "repl",
    "run",
    "setup",
    "soak",
    "test",
]
COMPLETE = """\
eval "$(register-python-argcomplete modthread)"
COMP_LINE="$1" COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9
read -r -a COMP_WORDS <<< "$1"
_python_argcomplete modthread
printf '%s\\n' "${COMPREPLY[@]}"
"""


def modthread(*arguments: str | Path, **settings: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "modthread", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **settings)  # type: ignore[call-overload,no-any-return]


def test_help_lists_every_command() -> None:
    listed = re.findall(r"^    (\w+) +\w", modthread("--help").stdout, re.MULTILINE)
    assert sorted(listed) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_help_explains_every_option(command: str) -> None:
    text = modthread(command, "--help", env=os.environ | {"COLUMNS": "200"}).stdout
    assert re.search(r"\n\n[A-Z].+\.\n\n", text)
    usage = re.findall(r"--[a-z-]+|script", text.partition("\n\n")[0])
    options = re.findall(
        r"^  ((?:(?:, )?--[a-z-]+)+|script)(?: [][A-Z:]+)?(\n? .*)$", text, re.MULTILINE
    )
    assert sorted(one for names, _ in options for one in names.split(", ")) == sorted(usage)
    for option, explanation in options:
        assert re.match(r"\n?  +\w", explanation), option


def test_version() -> None:
    assert modthread("--version").stdout.startswith(f"modthread {version()}+")


def test_setup_does_nothing_where_nothing_is_missing() -> None:
    result = modthread("setup")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_unknown_option_is_2_except_for_pytest() -> None:
    result = modthread("boards", "--nonsense")
    assert result.returncode == 2
    assert "unrecognized arguments: --nonsense" in result.stderr


@pytest.mark.parametrize("value", ["nan", "-1", "x"])
def test_how_long_to_wait_is_a_number(value: str) -> None:
    for program in ("modthread", "monitor"), ("pytest",):
        command = [sys.executable, "-m", *program, f"--wait={value}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode in (2, pytest.ExitCode.USAGE_ERROR)
        assert "error: argument --wait: " in result.stderr


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("modthread mon", ["monitor"]),
        ("modthread run --board MPS2", ["MPS2_AN385"]),
        ("modthread boards --", ["--all", "--ask", "--help", "--json", "--seen"]),
    ],
)
def test_the_shell_completes(typed: str, expected: list[str]) -> None:
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", COMPLETE, "bash", typed],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(result.stdout.split()) == expected


def test_test_passes_on_what_is_pytests(fake_board: Callable[..., str], tmp_path: Path) -> None:
    tests = tmp_path / "project/tests/device"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text("def test_a():\n    pass\n\ndef test_b():\n    pass\n")
    board = fake_board()
    arguments = (
        "--no-build",
        "--board",
        board,
        "tests",
        "-k",
        "test_b",
        "-n",
        "1",
        "-v",
        "-c",
        "/dev/null",
    )
    result = modthread("test", *arguments, "--rootdir=.", cwd=tmp_path / "project")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout
    assert "tests/device/test_it.py::test_b[FAKE]" in result.stdout


def test_test_takes_one_port_for_one_board() -> None:
    result = modthread("test", "--board", "A", "--board", "B", "--port", "P")
    assert result.returncode == 2
    assert result.stderr == "modthread: --port is of one board, but --board names A, B\n"


@pytest.mark.lane("check")
@pytest.mark.parametrize("name", ["modthread.cli", "modthread.plugin"])
def test_what_starts_often_imports_little(name: str) -> None:
    """The shell's completion starts the command; every pytest here imports the plugin."""
    heavy = {"elftools", "esptool", "jinja2", "rich", "rp2040py", "modthread._firmware.build"}
    code = f"import sys, {name}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not heavy & set(result.stdout.split())
