"""A board on another host: two network namespaces, and nothing between them but a link."""

import os
import select
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modthread._boards import boards
from modthread._firmware import build

FOLDER = Path(__file__).parent
BOARD_HOST, TEST_HOST = "10.22.17.1", "10.22.17.2"
UNSHARE = ["unshare", "--map-root-user", "--net"]

TESTS = """\
def test_passes():
    print(6 * 7)

def test_large():
    for number in range(1000):
        print("line", number)

def test_fails():
    assert 6 * 7 == 43
"""

Host = Callable[..., "subprocess.Popen[str]"]


def can_be_two_hosts() -> bool:
    """Return whether this user may make network namespaces with links in them."""
    make = [*UNSHARE, "ip", "tuntap", "add", "dev", "wire", "mode", "tun"]
    return bool(shutil.which("unshare") and shutil.which("ip")) and (
        subprocess.run(make, capture_output=True).returncode == 0
    )


pytestmark = [
    pytest.mark.lane("long"),
    pytest.mark.skipif(
        not can_be_two_hosts(),
        reason="no network namespaces here: needs unshare, ip and /dev/net/tun",
    ),
]


@pytest.fixture
def host() -> Iterator[Host]:
    """Return a function that starts a command on a host of its own, linked to the others."""
    links: list[int] = []
    with ExitStack() as running:
        stop, stopped = os.pipe()

        def start(address: str, *command: str | Path) -> "subprocess.Popen[str]":
            ours, theirs = socket.socketpair()
            become: list[str | Path] = [
                *UNSHARE,
                sys.executable,
                FOLDER / "host.py",
                f"{address}/24",
            ]
            process = subprocess.Popen(
                [*become, str(theirs.fileno()), *command],
                pass_fds=[theirs.fileno()],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            running.enter_context(process)
            running.callback(process.kill)
            theirs.close()
            _, descriptors, _, _ = socket.recv_fds(ours, 10, 1)
            links.extend(descriptors)
            ours.close()
            if len(links) == 2:
                link = threading.Thread(target=relay, args=(links, stop))
                link.start()
                running.callback(link.join)
                running.callback(os.write, stopped, b"stop")
            return process

        yield start
    for descriptor in (*links, stop, stopped):
        os.close(descriptor)


def relay(links: list[int], stop: int) -> None:
    """Carry packets between the two links."""
    one, other = links
    while stop not in (ready := select.select([one, other, stop], [], [])[0]):
        for descriptor in ready:
            os.write(other if descriptor == one else one, os.read(descriptor, 65536))


SER2NET = pytest.mark.skipif(not shutil.which("ser2net"), reason="ser2net is not installed")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"rfc2217://{BOARD_HOST}:2217", id="pyserial"),
        # Of a pseudo-terminal ser2net does not answer what DTR and RTS are.
        pytest.param(f"rfc2217://{BOARD_HOST}:2218?ign_set_control", id="ser2net", marks=SER2NET),
        pytest.param(f"socket://{BOARD_HOST}:2219", id="ser2net-plain", marks=SER2NET),
    ],
)
def test_tests_run_on_the_board_of_another_host(host: Host, tmp_path: Path, url: str) -> None:
    build.firmware(boards.load(boards.DEFAULT))
    tests = tmp_path / "tests" / "device"
    tests.mkdir(parents=True)
    (tests / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    server = host(BOARD_HOST, sys.executable, FOLDER / "serve.py", BOARD_HOST)
    assert server.stdout
    assert "ready\n" in iter(server.stdout.readline, "")  # ser2net may complain before it
    pytest_ = [sys.executable, "-m", "pytest", "-c", tmp_path / "pytest.ini", tests, "-rA"]
    client = host(TEST_HOST, *pytest_, f"--board={boards.DEFAULT}@{url}")
    said, _ = client.communicate(timeout=120)
    assert "1 failed, 2 passed" in said
    assert "test_it.py:9: in test_fails\n    assert 6 * 7 == 43" in said
    assert "line 999" in said
