"""Fixtures that several host tests use."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from micropython_tree import MicroPythonTree

FAKE_BOARD = Path(__file__).parents[1] / "fakes/fake_board.py"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put a test here into the lane check if it needs no board and says nothing else."""
    uses_board = "device" in getattr(item, "fixturenames", ())
    if not uses_board and item.get_closest_marker("lane") is None:
        item.add_marker(pytest.mark.lane("check"))


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
def micropython(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MicroPythonTree:
    """Return a source tree of MicroPython that has no board yet, and make it the one at hand."""
    tree = MicroPythonTree(tmp_path / "micropython")
    monkeypatch.setenv("MICROPY_DIR", str(tree.folder))
    return tree


@pytest.fixture
def fake_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Return a function that starts fake_board.py and returns the port it is on.

    The port is a link that goes with the board: the next pseudo-terminal may get its number. So
    locks, which are by that number, are apart from those of other tests.
    """
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))
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


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs pytest on a project with one file of device tests."""
    project = tmp_path / "project"

    def run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        tests = project / "tests" / "device"
        tests.mkdir(parents=True, exist_ok=True)
        (project / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
        (tests / "test_it.py").write_text(text)
        # pytest would look for its configuration where the board's folder is.
        command = [sys.executable, "-m", "pytest", "--config-file=pytest.ini", "--no-build"]
        return subprocess.run(
            [*command, *arguments],
            cwd=project,
            env=os.environ | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture
def served() -> Iterator[Callable[[str], str]]:
    """Return a function that serves a port to one client, and returns the host:port to use."""
    with ExitStack() as listening:

        def serve(port: str) -> str:
            server = listening.enter_context(socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=_relay, args=(server, port), daemon=True).start()
            return f"127.0.0.1:{server.getsockname()[1]}"

        yield serve


def _relay(server: socket.socket, port: str) -> None:
    """Copy between the first connection and a port."""
    connection, _ = server.accept()
    terminal = os.open(port, os.O_RDWR | os.O_NOCTTY)

    def back() -> None:
        with suppress(OSError):  # the board has ended
            while data := os.read(terminal, 4096):
                connection.sendall(data)

    threading.Thread(target=back, daemon=True).start()
    while data := connection.recv(4096):
        os.write(terminal, data)
