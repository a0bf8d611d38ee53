"""Which boards there are, and which one is meant: what USB tells is as pyserial records it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from micropython_tree import MicroPythonTree
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from modthread import cli
from modthread._boards import boards, reservation
from modthread._boards.board_choice import Choice, choose, only_attached
from modthread._boards.reservation import Reservation
from modthread._commands import board_list
from modthread.errors import ModthreadError
from modthread.plugin.fleet import named

Plug = Callable[..., None]
Capture = pytest.CaptureFixture[str]
PICO = (0x2E8A, 0x0005, "Board in FS mode")
FLASHED = """\
description = "of one's own"
[flash]
product = "board"
chip = "RP2040"
usb = "1209:0001"
"""
CP2102 = (0x10C4, 0xEA60, "CP2102 USB to UART Bridge Controller")


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plug:
    """Return a function that attaches a board; at first, there is only the host's own port."""
    infos = [ListPortInfo("/dev/ttyS0")]
    monkeypatch.setattr(list_ports, "comports", lambda: infos)
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))

    def plug_in(port: str, usb: tuple[int, int, str], number: str | None, location: str) -> None:
        info = ListPortInfo(port)
        info.vid, info.pid, info.product = usb
        info.serial_number, info.location = number, location
        infos.append(info)

    return plug_in


@pytest.fixture
def two_picos(plug_in: Plug) -> None:
    plug_in("/dev/ttyACM1", PICO, "E661AAAA", "1-1.2:1.0")
    plug_in("/dev/ttyACM0", PICO, "E661BBBB", "1-1.3:1.0")


def chosen(board: str | None, port: str | None = None) -> tuple[str, str | None]:
    choice = choose(board, port)
    return choice.board.name, choice.port()


@pytest.mark.usefixtures("two_picos")
@pytest.mark.parametrize(
    ("board", "port", "expected"),
    [
        (None, None, (boards.DEFAULT, None)),
        ("RPI_PICO", None, ("RPI_PICO", None)),
        ("E661AAAA", None, ("RPI_PICO", "/dev/ttyACM1")),
        ("/dev/ttyACM0", None, ("RPI_PICO", "/dev/ttyACM0")),
        (None, "/dev/ttyACM0", ("RPI_PICO", "/dev/ttyACM0")),
        (None, "E661AAAA", ("RPI_PICO", "/dev/ttyACM1")),
        ("MPS2_AN385", "/dev/ttyACM0", ("MPS2_AN385", "/dev/ttyACM0")),
        ("RPI_PICO", "E661AAAA", ("RPI_PICO", "/dev/ttyACM1")),
        ("RPI_PICO@E661AAAA", None, ("RPI_PICO", "/dev/ttyACM1")),
        ("RPI_PICO@socket://desk:1", None, ("RPI_PICO", "socket://desk:1")),
        ("rfc2217://me@desk:1", None, ("me_desk_1", "rfc2217://me@desk:1")),
        ("/dev/ttyUSB9", None, ("ttyUSB9", "/dev/ttyUSB9")),
    ],
)
def test_what_is_chosen(
    board: str | None, port: str | None, expected: tuple[str, str | None]
) -> None:
    assert chosen(board, port) == expected


@pytest.mark.usefixtures("two_picos")
@pytest.mark.parametrize(
    ("board", "message"),
    [
        (
            "NOPE",
            f"unknown board 'NOPE'; known boards: {', '.join(boards.names())}; "
            "modthread boards --all lists all; connected: ",
        ),
        ("", "unknown board ''; known boards: "),
        (
            "RPI_PICA",
            "unknown board 'RPI_PICA'; did you mean RPI_PICO or RPI_PICO_W; ",
        ),
        ("RPI_PICO@E66", "unknown board 'E66'; known boards: "),
        ("boards/NOPE", "boards/NOPE has neither board.toml nor mpconfigboard.cmake; "),
        ("RPI_PICO-NOPE", "RPI_PICO has no variant NOPE; it has none"),
        ("x" * 300, f"{'x' * 300}: File name too long; name a board, or the folder of one"),
        (f"/{'x' * 300}", f"/{'x' * 300}: File name too long; name a board, or"),
    ],
)
@pytest.mark.usefixtures("micropython")
def test_what_is_not_there(
    board: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boards/NOPE").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModthreadError, match=f"^{re.escape(message)}"):
        chosen(board)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_where_one_may_not_look_is_one_line(tmp_path: Path) -> None:
    """What pytest makes is its user's alone."""
    code = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from modthread._boards.board_choice import choose
from modthread._commands import board_list
os.setuid(65534)
for options in ({str(tmp_path)!r},), (None, {str(tmp_path / "tty")!r}):
    try: print(choose(*options).where)
    except Exception as error: print(type(error).__name__, error)
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == [
        f"ModthreadError {tmp_path}: Permission denied; name a board, or the folder of one",
        str(tmp_path / "tty"),
    ]


def test_no_firmware_is_built_for_a_board_of_unknown_kind(plug_in: Plug, capsys: Capture) -> None:
    assert cli.main(["firmware", "--board", "/dev/ttyS0"]) == 2
    message = "modthread: ttyS0 is of unknown kind; name its kind with --board NAME\n"
    assert capsys.readouterr().err == message


@pytest.mark.usefixtures("two_picos")
def test_several_boards_of_a_kind_are_listed() -> None:
    candidates = (
        "/dev/ttyACM0 (serial number E661BBBB), /dev/ttyACM1 (serial number E661AAAA); "
        "use --board with one of them"
    )
    with pytest.raises(ModthreadError) as caught:
        only_attached("RPI_PICO")
    assert str(caught.value) == f"more than one RPI_PICO: {candidates}"
    with pytest.raises(ModthreadError) as caught:
        only_attached()
    assert str(caught.value) == f"more than one board: {candidates}"


def test_a_board_that_is_not_emulated_is_the_attached_one(plug_in: Plug, tmp_path: Path) -> None:
    real = tmp_path / "REAL"
    real.mkdir()
    (real / "board.toml").write_text('description = "only real"\n')
    choice = choose(str(real))  # for `pytest --collect-only`: needs no board
    with pytest.raises(ModthreadError) as caught:
        choice.port()
    assert str(caught.value) == "no REAL found; connected: /dev/ttyS0; use --board REAL@PORT"


def test_the_attached_board_may_be_of_a_kind_of_ones_own(plug_in: Plug, tmp_path: Path) -> None:
    (tmp_path / "board.toml").write_text(FLASHED)
    plug_in("/dev/ttyACM7", (0x1209, 0x0001, "Mine"), "M1", "1-1.3:1.0")
    assert choose(str(tmp_path)).port() == "/dev/ttyACM7"


def test_the_only_board_is_found(plug_in: Plug) -> None:
    plug_in("/dev/ttyACM0", PICO, "E661BBBB", "1-1.3:1.0")
    assert only_attached() == Choice(boards.load("RPI_PICO"), "/dev/ttyACM0")


def test_a_serial_number_that_several_have_does_not_choose(plug_in: Plug) -> None:
    plug_in("/dev/ttyUSB0", CP2102, "0001", "1-1.1")
    plug_in("/dev/ttyUSB1", CP2102, "0001", "1-1.4")
    with pytest.raises(ModthreadError, match=r"^more than one .* 0001: /dev/ttyUSB0 .*ttyUSB1"):
        chosen("0001")
    with closing(Reservation("/dev/ttyUSB0")), closing(Reservation("/dev/ttyUSB1")):
        assert len(list(reservation.directory().iterdir())) == 2


def test_two_ports_of_one_board_have_one_lock(plug_in: Plug) -> None:
    plug_in("/dev/ttyACM0", PICO, "E661AAAA", "1-1.2:1.0")
    plug_in("/dev/ttyACM1", PICO, "E661AAAA", "1-1.2:1.2")
    with closing(Reservation("/dev/ttyACM0")), closing(Reservation("/dev/ttyACM1")):
        assert [path.name for path in reservation.directory().iterdir()] == ["E661AAAA"]


@pytest.mark.usefixtures("two_picos")
def test_names_of_a_run_tell_boards_of_a_kind_apart() -> None:
    texts = ["MPS2_AN385", "RPI_PICO", "E661AAAA", "/dev/ttyACM0", "RPI_PICO@socket://desk:1"]
    names = ["RPI_PICO-emulated", "RPI_PICO-E661AAAA", "RPI_PICO-ttyACM0", "RPI_PICO-desk_1"]
    assert [*named(map(choose, texts))] == ["MPS2_AN385", *names]
    assert [*named([choose("E661AAAA"), choose("E661AAAA")])] == ["RPI_PICO"]


@pytest.mark.usefixtures("two_picos", "micropython")
def test_the_list_for_people(plug_in: Plug, capsys: Capture) -> None:
    plug_in("/dev/ttyUSB0", CP2102, None, "1-1.4")
    with closing(Reservation("/dev/ttyACM1")):
        assert cli.main(["boards"]) == 0
    [head, *lines] = [re.split("  +", line) for line in capsys.readouterr().out.splitlines()]
    assert head == ["--board", "port", "USB", "serial number", "what it is"]
    attached = {line[0]: line[1:] for line in lines if line[1].startswith("/dev")}
    pico = ["2e8a:0005", "E661BBBB", "RPI_PICO (Board in FS mode)"]
    assert attached["E661BBBB"] == ["/dev/ttyACM0", *pico]
    assert attached["/dev/ttyUSB0"] == ["/dev/ttyUSB0", "10c4:ea60", "-", CP2102[2]]
    assert attached["/dev/ttyS0"] == ["/dev/ttyS0", "-", "-", "a serial port"]
    assert re.match(
        r"RPI_PICO \(Board in FS mode\); in use by .*pytest.* "
        rf"\(process {os.getpid()} of \w+ on .+, since .+\)$",
        attached["E661AAAA"][-1],
    )
    emulated = {line[0]: line[1] for line in lines if not line[1].startswith("/dev")}
    assert emulated == {
        name: "emulated" if boards.load(name).emulator else "-" for name in boards.names()
    }


@pytest.mark.usefixtures("two_picos", "micropython")
def test_every_name_of_the_list_chooses_that_board(capsys: Capture) -> None:
    assert cli.main(["boards", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 3 + len(boards.names())
    for row in rows:
        if row["port"] is None and not row["emulated"]:
            raise AssertionError(f"{row['select']} is neither attached nor emulated")
        name, port = chosen(row["select"])
        assert port == row["port"]
        assert row["kinds"] in ([], [name])


def define_three(micropython: MicroPythonTree) -> None:
    """Define boards of which USB says the same, and one of which it does not."""
    for name in ("RPI_PICO", "XIAO"):
        header = f'#define MICROPY_HW_BOARD_NAME "{NAMES[name]}"\n'
        micropython.define(name, header=header)
    usb = "#define MICROPY_HW_USB_VID (0x1B4F)\n#define MICROPY_HW_USB_PID (0x0026)\n"
    micropython.define("PROMICRO", header=usb)
    micropython.define("PICO2", "rp2350-riscv")


NAMES = {"RPI_PICO": "Raspberry Pi Pico", "XIAO": "Seeed XIAO RP2040"}


@pytest.mark.usefixtures("two_picos")
def test_usb_stands_for_several_boards(
    micropython: MicroPythonTree, plug_in: Plug, capsys: Capture
) -> None:
    define_three(micropython)
    plug_in("/dev/ttyACM3", (0x1B4F, 0x0026, "Board in FS mode"), "S1", "1-1.5:1.0")
    assert cli.main(["boards"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("RPI_PICO or XIAO (Board in FS mode)") == 2
    assert printed.count("PROMICRO (Board in FS mode)") == 1
    assert choose("S1").board.name == "PROMICRO"
    assert choose("E661AAAA").board.name == "RPI_PICO"
    assert choose("E661AAAA").guessed
    assert not choose("RPI_PICO@E661AAAA").guessed


def test_what_runs_on_a_board_says_which_it_is(
    micropython: MicroPythonTree,
    fake_port: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    define_three(micropython)
    monkeypatch.setattr(board_list, "ANSWER_LIMIT", 120.0)  # it answers, on a busy host late
    monkeypatch.setenv("FAKE_MACHINE", "Seeed XIAO RP2040 with RP2040")
    info = ListPortInfo(fake_port())
    info.vid, info.pid = PICO[:2]
    monkeypatch.setattr(list_ports, "comports", lambda: [info])
    for options, kinds in ([], ["RPI_PICO", "XIAO"]), (["--ask"], ["XIAO"]):
        assert cli.main(["boards", "--json", *options]) == 0
        assert json.loads(capsys.readouterr().out)[0]["kinds"] == kinds


@pytest.fixture
def answering(plug_in: Plug, fake_port: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(board_list, "ANSWER_LIMIT", 120.0)  # it answers, on a busy host late
    port = fake_port()
    monkeypatch.setattr(list_ports, "comports", lambda: [ListPortInfo(port)])
    return port


def test_a_board_says_what_it_runs_only_when_asked(answering: str, capsys: Capture) -> None:
    for options, runs in ([], None), (["--ask"], f"fake; MicroPython {os.uname().version}"):
        assert cli.main(["boards", "--json", *options]) == 0
        row = json.loads(capsys.readouterr().out)[0]
        assert row["select"] == row["port"] == answering
        assert row["runs"] == (runs and f"{runs}; modthread fake")
    assert reservation.holder(answering) is None


def test_a_board_in_use_is_not_asked(answering: str, capsys: Capture) -> None:
    with closing(Reservation(answering)):
        assert cli.main(["boards", "--ask", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["runs"] is None
    assert f"process {os.getpid()} of " in row["in_use_by"]


@pytest.mark.parametrize(
    ("start", "runs"),
    [
        ("silent", "no answer: the board did not answer in time"),
        ("bare", f"fake; MicroPython {os.uname().version}"),
    ],
)
def test_what_a_board_without_modthread_answers(
    plug_in: Plug,
    fake_port: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    start: str,
    runs: str,
) -> None:
    if start != "silent":
        monkeypatch.setattr(board_list, "ANSWER_LIMIT", 120.0)  # it answers, on a busy host late
    port = fake_port(start)
    monkeypatch.setattr(list_ports, "comports", lambda: [ListPortInfo(port)])
    assert cli.main(["boards", "--ask", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert row["runs"] == runs
