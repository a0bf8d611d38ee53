"""What several host tests use."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

FAKE_BOARD = Path(__file__).with_name("fake_board.py")


@pytest.fixture
def fake_board(tmp_path: Path) -> Callable[..., str]:
    """Return a function that makes a board folder whose emulator is fake_board.py."""

    def make(name: str = "FAKE", start: str = "well", **settings: object) -> str:
        folder = tmp_path / "boards" / name
        folder.mkdir(parents=True)
        lines = ['description = "a fake"', *(f"{key} = {value}" for key, value in settings.items())]
        command = [sys.executable, str(FAKE_BOARD), start]
        lines += ["[emulator]", f"command = {command}", 'install = "nothing to install"']
        (folder / "board.toml").write_text("\n".join(lines))
        return str(folder)

    return make


@pytest.fixture
def fake_port(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that starts fake_board.py and returns the port it is on.

    The port is a link that goes with the board: the next pseudo-terminal may get its number.
    """
    with ExitStack() as running:

        def start(how: str = "well") -> str:
            port = tmp_path / "tty-fake"
            command = [sys.executable, str(FAKE_BOARD), how, str(port)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            running.enter_context(process)
            running.callback(process.kill)
            assert process.stdout
            assert "redirected" in process.stdout.readline()
            return str(port)

        yield start
