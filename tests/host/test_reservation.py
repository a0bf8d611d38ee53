"""One board and several processes: one has the board, the others are told or wait."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread._boards import reservation
from modthread._boards.boards import Board
from modthread._boards.reservation import Reservation
from modthread.device import Device
from modthread.errors import ModthreadError

pytestmark = pytest.mark.lane("test")  # processes wait for each other

RUN = [sys.executable, "-m", "modthread", "run"]
ANYBODY = r"of \S+ on \S+, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\)"
# Takes the lock of a board and keeps it; another argument is the serial number that USB tells.
HOLD = f"""
import sys, time
sys.path[:0] = {sys.path!r}
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
from modthread._boards.reservation import Reservation
for number in sys.argv[2:]:
    info = ListPortInfo(sys.argv[1])
    info.vid, info.pid, info.serial_number = 0x2E8A, 5, number
    list_ports.comports = lambda: [info]
held = Reservation(sys.argv[1])
print("held", flush=True)
time.sleep(100)
"""
Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Return a function that starts a process which holds a board."""
    processes = []

    def hold(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", HOLD, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file; the script `waiting` ends when it is gone."""
    gate = tmp_path / "gate"
    gate.touch()
    return gate


@pytest.fixture
def waiting(tmp_path: Path, gate: Path) -> Path:
    script = tmp_path / "waiting.py"
    loop = f"while os.path.exists({str(gate)!r}): time.sleep(0.02)"
    script.write_text(f"import os, time\nprint('started')\n{loop}\nprint('ended')\n")
    return script


def start(*arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_the_second_is_told_who_has_the_board(
    fake_port: Callable[..., str], waiting: Path, gate: Path
) -> None:
    port = fake_port()
    with start("--port", port, waiting) as first:
        assert first.stdout
        assert first.stdout.readline() == "started\n"
        second = start("--port", port, waiting)
        output, said = second.communicate(timeout=30)
        assert (second.returncode, output) == (2, "")
        assert re.fullmatch(
            rf"modthread: {port} is in use by modthread run --port {port} {waiting} "
            rf"\(process {first.pid} {ANYBODY}; wait for it with --wait SECONDS\n",
            said,
        )
        gate.unlink()
        assert first.communicate(timeout=30) == ("ended\n", "")
    assert first.returncode == 0


def test_the_second_waits_where_it_shall(
    fake_port: Callable[..., str], waiting: Path, gate: Path
) -> None:
    port = fake_port()
    with start("--port", port, waiting) as first:
        assert first.stdout
        assert first.stdout.readline() == "started\n"
        with start("--port", port, "--wait", "60", waiting) as second:
            assert second.stderr
            said = second.stderr.readline()
            assert said.startswith(f"Waiting for {port}, in use by modthread run ")
            assert f"(process {first.pid} of " in said
            gate.unlink()
            assert second.communicate(timeout=60) == ("started\nended\n", "")


def test_kill_9_releases_it_and_the_next_run_is_clean(
    fake_port: Callable[..., str], waiting: Path, gate: Path
) -> None:
    port = fake_port()
    with start("--port", port, waiting) as first:
        assert first.stdout
        assert first.stdout.readline() == "started\n"
        first.send_signal(signal.SIGKILL)
    gate.unlink()
    second = start("--port", port, waiting)
    assert second.communicate(timeout=60) == ("started\nended\n", "")
    assert second.returncode == 0


def test_it_lasts_while_the_board_is_away_and_on_another_port(
    hold: Hold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = f"E66 {tmp_path}"  # nobody else's
    first = hold(str(tmp_path / "ttyACM0"), number)
    info = ListPortInfo(str(tmp_path / "ttyACM1"))
    info.vid, info.pid, info.serial_number = 0x2E8A, 5, number
    monkeypatch.setattr(list_ports, "comports", lambda: [info])
    with pytest.raises(ModthreadError, match=rf"in use by .*\(process {first.pid} of "):
        Reservation(info.device)
    first.kill()
    first.wait()
    Reservation(info.device).close()


def test_who_is_refused_leaves_the_log_alone(hold: Hold, tmp_path: Path) -> None:
    port, log = str(tmp_path / "ttyUSB0"), tmp_path / "REAL.log"
    hold(port)
    log.write_text("of the first")
    second = Device(Board("REAL", "on a port"), port, logs=tmp_path)
    with closing(second), pytest.raises(ModthreadError, match="is in use by"):
        second.start()
    assert log.read_text() == "of the first"


def test_a_link_to_a_port_is_that_port(hold: Hold, tmp_path: Path) -> None:
    port, link = tmp_path / "ttyUSB0", tmp_path / "link"
    link.symlink_to(port)
    first = hold(str(port))
    with pytest.raises(ModthreadError, match=rf"^{link} is in use by .* {first.pid} of "):
        Reservation(str(link))
    assert str(first.pid) in str(reservation.holder(str(link)))


def test_a_process_may_take_its_lock_once_more(hold: Hold, tmp_path: Path) -> None:
    port = str(tmp_path / "ttyUSB0")
    outer, inner = Reservation(port), Reservation(port)
    inner.close()
    inner.close()
    assert f"process {os.getpid()} of " in str(reservation.holder(port))
    outer.close()
    assert reservation.holder(port) is None
    hold(port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_shares_the_locks(hold: Hold, tmp_path: Path) -> None:
    """Even where Linux protects others' files in folders that everybody may write to."""
    port = f"/dev/{tmp_path.name}"
    as_nobody = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from modthread._boards import reservation
os.setuid(65534)
try: reservation.Reservation({port!r})
except Exception as error: print(type(error).__name__, error)
else: print(reservation.holder({port!r}))
"""
    command = [sys.executable, "-c", as_nobody]

    def nobody() -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with closing(Reservation(port)):
        assert re.match(
            rf"ModthreadError .* in use by .*\(process {os.getpid()} of root ", nobody()
        )
    assert " of nobody on " in nobody()


def test_where_no_lock_can_be_kept_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "file"))
    with pytest.raises(ModthreadError, match=rf"^{tmp_path}/file.*: .*; locks of boards are kept"):
        Reservation("/dev/ttyUSB0")
    assert reservation.holder("/dev/ttyUSB0") is None


def test_locks_are_kept_where_everybody_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    monkeypatch.delenv("MODTHREAD_LOCKS", raising=False)
    monkeypatch.setattr(reservation, "RUN_LOCK", run)
    assert reservation.directory() == Path("/tmp/modthread")
    run.mkdir(mode=0o755)
    assert reservation.directory() == Path("/tmp/modthread")
    run.chmod(0o1777)
    assert reservation.directory() == run / "modthread"
