"""The command `modthread port`: other programs use the board's port."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from processes import children, is_running

from modthread._link.line import Line
from modthread._link.traffic import TrafficLog

pytestmark = pytest.mark.lane("test")  # each is a run of a command

MODTHREAD = [sys.executable, "-m", "modthread"]
LIMIT = 300  # seconds


@contextmanager
def lent(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command; give it and the port that it prints."""
    # A shell that was started in the background hands down that SIGINT is ignored.
    command = ["env", "--default-signal=INT", *MODTHREAD, "port", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            port = process.stdout.readline().strip()
            assert port, process.communicate(timeout=LIMIT)
            yield process, port
        finally:
            process.kill()


def mpremote(port: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    return run.stdout


def test_one_program_after_the_other() -> None:
    with lent("--no-build") as (process, port):
        assert re.fullmatch(r"/dev/pts/\d+", port)
        assert mpremote(port, "exec", "x = 6; print(x * 7)") == "42\n"
        assert mpremote(port, "resume", "exec", "print(x)") == "6\n", "it was not the same board"
        (emulator,) = children(process.pid)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIMIT)
    assert (process.returncode, said.count("\n")) == (0, 1)
    assert said.startswith("modthread: MPS2_AN385 ")
    assert not is_running(emulator), "the emulator has outlived the command"


def test_at_its_prompt() -> None:
    with (
        lent("--no-build") as (_, port),
        closing(Line(port, TrafficLog(Path("/dev/null")))) as line,
        line.limit(LIMIT),
    ):
        line.write(b"\r")
        line.read_until(b">>> ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_board_is_in_use_until_it_ends(
    number: signal.Signals, fake_port: Callable[..., str], tmp_path: Path
) -> None:
    port = fake_port()
    script = tmp_path / "script.py"
    script.write_text("print(6 * 7)\n")
    run = [*MODTHREAD, "run", "--json", "--port", port, str(script)]
    with lent("--port", port) as (process, told):
        assert told == port
        refused = subprocess.run(run, capture_output=True, text=True, timeout=LIMIT)
        assert " is in use by modthread port " in json.loads(refused.stdout)["messages"]
        process.send_signal(number)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0
    free = subprocess.run(run, capture_output=True, text=True, timeout=LIMIT)
    assert json.loads(free.stdout)["output"] == "42\n"


def test_an_emulated_board_is_in_use_too() -> None:
    with lent("--no-build") as (_, port):
        run = [*MODTHREAD, "run", "--port", port, __file__]
        refused = subprocess.run(run, capture_output=True, text=True, timeout=LIMIT)
        assert refused.returncode == 2
        assert " is in use by modthread port " in refused.stderr


def test_an_emulator_that_ends() -> None:
    with lent("--no-build") as (process, _):
        for emulator in children(process.pid):
            os.kill(emulator, signal.SIGKILL)
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 3
    assert "modthread: the emulator ended with status -9" in said
