"""A board on a port that does not answer is brought back, one step after the other."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from plugged_esp32 import Desk
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread import device
from modthread._base import project
from modthread._boards import boards, usb_power
from modthread._flash import command as flash
from modthread._flash import flasher
from modthread.device import DeadBoardError, Device

FAKE_BOARD = Path(__file__).parents[1] / "fakes/fake_board.py"
# As uhubctl 2.5.0 says it.
NO_SUCH_HUB = "No compatible devices detected at location 1-1!\nRun with -h to get usage info.\n"
CYCLED = """\
Current status for hub 1-1 [0bda:5411 USB2.1 Hub, USB 2.10, 5 ports, ppps]
  Port 4: 0103 power enable connect [2e8a:0005 MicroPython Board in FS mode E661]
Sent power off request
Sent power on request
"""


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    desk = Desk(tmp_path, capsys)
    info = ListPortInfo(str(desk.port))
    info.vid, info.pid, info.serial_number, info.location = 0x2E8A, 5, "E661", "1-1.4:1.0"
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(list_ports, "comports", lambda: [info])
    monkeypatch.setattr(project, "BUILD", tmp_path / "build")
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setattr(device, "ANSWER_LIMIT", 0.3)  # of a board that cannot answer
    monkeypatch.setattr(device, "REAPPEAR_LIMIT", 3.0)
    monkeypatch.setattr(flasher, "ANSWER_LIMIT", 3.0)
    yield desk
    desk.unplug()


def answers_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Be patient with the board once `owner` has done what `name` says: now it can answer."""
    cure: Callable[..., Any] = getattr(owner, name)

    def done(*arguments: Any, **keywords: Any) -> Any:
        monkeypatch.setattr(device, "ANSWER_LIMIT", 60.0)
        return cure(*arguments, **keywords)

    monkeypatch.setattr(owner, name, done)


def install_uhubctl(folder: Path, output: str, then: str) -> Path:
    """Install what says that and notes its arguments in the file that is returned."""
    (folder / "output").write_text(output)
    program = folder / "bin/uhubctl"
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/calls\ncat {folder}/output\n{then}\n')
    program.chmod(0o755)
    return folder / "calls"


def start(desk: Desk, may_flash: bool) -> tuple[Device, str]:
    """Start the board; return it, and what its log says of the way there."""
    board = boards.load(str(desk.board))
    logs = desk.build.parent / "logs"
    one = Device(board, str(desk.port), logs=logs, may_flash=may_flash)
    try:
        one.start()
    finally:
        one.log.close()
    return one, (logs / "C3.log").read_text()


def test_a_firmware_that_hangs_is_flashed_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_after(monkeypatch, flash, "put")
    desk.flash_file.write_bytes(b"hangs".ljust(len(desk.flash_file.read_bytes())))
    desk.plug_in()
    one, log = start(desk, may_flash=True)
    with closing(one):
        assert one.info().endswith(", modthread 1.2.3, no kernel")
    rungs = [line.partition("# ")[2] for line in log.splitlines() if "# " in line]
    names = [rung for rung in rungs if " failed: " not in rung]
    assert names == [
        "soft reset",
        "a flood of Ctrl-C",
        "a start without boot.py",
        "opening the port again",
        "machine.reset()",
        "reset through RTS",
        "flashing it again",
    ]
    assert [f"{name} failed" for name in names[:-1]] == [
        rung.partition(":")[0] for rung in rungs if " failed: " in rung
    ]


def test_nothing_is_flashed_unasked(desk: Desk) -> None:
    desk.flash_file.write_bytes(hanging := b"hangs".ljust(len(desk.flash_file.read_bytes())))
    desk.plug_in()
    with pytest.raises(DeadBoardError, match=r"reset through RTS: .*uhubctl is not installed$"):
        start(desk, may_flash=False)
    assert desk.flash_file.read_bytes() == hanging


def test_the_power_of_its_usb_socket(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a board that hears nothing any more, and is there again when its power comes back."""
    answers_after(monkeypatch, usb_power.HubPort, "power_cycle")
    desk.plug_in(start="silent")
    power_on = f"{sys.executable} {FAKE_BOARD} well {desk.port}"
    calls = install_uhubctl(
        desk.port.parent, CYCLED, f"rm {desk.port}; {power_on} > /dev/null 2>&1 & echo $! > pid"
    )
    pid = desk.port.parent / "pid"
    monkeypatch.chdir(pid.parent)
    try:
        one, _ = start(desk, may_flash=False)
        with closing(one):
            assert one.info().endswith(", modthread fake, no kernel")
    finally:
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGKILL)
    assert calls.read_text() == "--location 1-1 --ports 4 --action cycle --delay 2\n"


def test_a_hub_that_cannot_switch(desk: Desk) -> None:
    desk.plug_in(start="silent")
    install_uhubctl(desk.port.parent, NO_SUCH_HUB, "exit 1")
    reason = "uhubctl: No compatible devices detected at location 1-1!"
    with pytest.raises(DeadBoardError, match=f"switching its USB power: {reason}$"):
        start(desk, may_flash=False)
