"""`modthread check-board`: fake Picos and an emulated one are flashed, tested and judged."""

import fcntl
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from plugged_pico import NEW, Desk, padded, plugged_pico

from modthread import cli
from modthread._base import project
from modthread._boards import boards, reservation
from modthread._check_board import command, suite
from modthread._check_board.verdict import Judged, Reference, Verdict
from modthread._emulators.emulator import Emulator
from modthread._firmware import build
from modthread._flash import flasher
from modthread.errors import ModthreadError

Capture = pytest.CaptureFixture[str]

FACTS = "print(('Pico with RP2040', 'boot ROM 3', b'\\xe6\\x61', 125_000_000, 200_000))"
TESTS = """\
import pytest

def test_good():
    pass

def test_bad():
    assert 1 == 2, "one is not two"

@pytest.mark.skip(reason="not on this board")
def test_left_out():
    pass
"""
VANISHES = """\
def test_before():
    pass

def test_in_the_middle():
    die()

def test_after():
    pass
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk, and figures that a fake cannot measure."""
    monkeypatch.setattr(command, "FACTS", FACTS)
    monkeypatch.setattr(command, "times", lambda _, script: {f"{script}'s": 12.5})
    monkeypatch.setattr(boards, "DIRECTORY", tmp_path / "boards")
    with plugged_pico(tmp_path, monkeypatch) as desk:
        yield desk


@pytest.fixture
def device_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes a file of device tests the suite."""
    root = tmp_path / "project"

    def write(text: str) -> None:
        folder = root / "tests/device"
        folder.mkdir(parents=True)
        (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
        (folder / "test_it.py").write_text(text)
        monkeypatch.setattr(suite, "DEVICE_TESTS", folder)
        monkeypatch.setattr(suite, "SHORT", ("it",))

    return write


def check(desk: Desk, *arguments: object) -> int:
    return cli.main(["check-board", "--no-build", "--board", str(desk.board), *map(str, arguments)])


def row(markdown: str, name: str) -> str:
    """Return what a table of the verdict has in the row `name`."""
    [line] = [line for line in markdown.splitlines() if line.startswith(f"| {name} |")]
    return line.removeprefix(f"| {name} | ").removesuffix(" |")


def reference(desk: Desk, **tests: str) -> None:
    """Keep what the emulated board is said to do."""
    names = {f"tests/device/test_it.py::{name}": outcome for name, outcome in tests.items()}
    kept = Reference("modthread 1.2.2", names, {"single.py's": 12.0, "threads.py's": 2.5})
    kept.write(desk.board / "reference.json")


@pytest.mark.lane("test")
def test_a_board_is_flashed_tested_and_judged(
    desk: Desk, capfd: Capture, device_tests: Callable[[str], None]
) -> None:
    device_tests(TESTS)
    reference(desk, test_good="passed", test_bad="passed")
    pico = desk.plug_in()
    assert check(desk) == 1
    assert pico.flash == padded(NEW)
    markdown = capfd.readouterr().out
    assert markdown == (project.BUILD / "check/PICO.md").read_text()
    assert markdown.startswith("### modthread on PICO: failed\n")
    assert row(markdown, "chip") == "Pico with RP2040, boot ROM 3, id e661"
    assert row(markdown, "USB serial number") == "E66-tty0"
    checksum = f"CRC-32 {crc32(padded(NEW)):08x}"
    assert row(markdown, "image") == f"{checksum}, as the board reads it; written"
    assert "modthread 1.2.3" in row(markdown, "firmware")
    assert row(markdown, "clock") == "125 MHz"
    assert row(markdown, "reached") == "flash, boot, timings, 3 tests"
    assert "**Tests**: 1 passed, 1 failed, 1 skipped\n" in markdown
    name = "tests/device/test_it.py::test_"
    assert f"- failed: `{name}bad` (AssertionError: one is not two)\n" in markdown
    assert f"- skipped: `{name}left_out` (not on this board)\n" in markdown
    assert f"- `{name}bad`: failed, there passed\n" in markdown
    assert "- threads.py's: 5 times what it takes there\n" in markdown
    assert row(markdown, "single.py's") == "12.5 | 12 | 1.04"


@pytest.mark.lane("test")
def test_a_board_that_vanishes_in_the_middle(
    desk: Desk, capfd: Capture, device_tests: Callable[[str], None]
) -> None:
    device_tests(VANISHES)
    desk.plug_in()
    assert check(desk) == 3
    markdown = capfd.readouterr().out
    assert markdown.startswith("### modthread on PICO: incomplete\n")
    assert row(markdown, "reached").startswith("flash, boot, timings; then: PICO is dead: ")
    assert "**Tests**: 1 passed, 1 failed, 1 not run\n" in markdown
    assert "this board has no reference" in markdown


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ("die()", "the port has gone"),
        ("hang()", "the board did not answer in time"),
        ("1 / 0", "the board cannot tell what it is: ZeroDivisionError: division by zero"),
    ],
)
def test_a_board_that_is_lost_after_flashing(
    desk: Desk, capsys: Capture, monkeypatch: pytest.MonkeyPatch, facts: str, why: str
) -> None:
    monkeypatch.setattr(command, "FACTS", facts)
    monkeypatch.setattr(command, "ANSWER_LIMIT", 2.0)
    desk.plug_in()
    assert check(desk) == 3
    markdown = capsys.readouterr().out
    assert why in row(markdown, "reached")
    assert row(markdown, "reached").startswith("flash; then: ")
    assert row(markdown, "firmware")


def test_ctrl_c_keeps_what_has_been_seen(
    desk: Desk, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "times", interrupted)
    desk.plug_in()
    assert check(desk) == 130
    assert row(capsys.readouterr().out, "reached") == "flash, boot; then: interrupted"


def test_a_board_that_does_not_boot(desk: Desk, capsys: Capture) -> None:
    """As one with start files in ARM state: the image is there, and nothing answers."""
    pico = desk.plug_in(returns=None)
    desk.clock.nothing_comes = lambda: pico.flash == padded(NEW)
    assert check(desk) == 3
    markdown = capsys.readouterr().out
    assert markdown.startswith("### modthread on PICO: incomplete\n")
    assert row(markdown, "image") == f"CRC-32 {crc32(padded(NEW)):08x}; written"
    assert row(markdown, "reached").startswith(
        "nothing; then: the firmware is written, but the board does not answer: "
    )


def test_no_board(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = lambda: True
    assert check(desk) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *_, line = captured.err.splitlines()
    assert line.startswith("modthread: no board found; plug in a Raspberry Pi Pico, ")


def test_two_boards(desk: Desk, capsys: Capture) -> None:
    for name in ("tty0", "tty1"):
        desk.plug_in(name)
    assert check(desk) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("modthread: 2 boards: ")
    assert line.endswith("; name the port of one")


def test_another_chip(desk: Desk, capsys: Capture) -> None:
    desk.plug_in(machine="Raspberry Pi Pico2 with RP2350")
    assert check(desk) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert "nothing was written; name the right board or port" in line


def test_a_board_in_other_hands(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in()
    reservation.directory().mkdir()
    with (reservation.directory() / "E66-tty0").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert check(desk) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith(f"modthread: {pico.port} is in use by ")


def report(name: str) -> str:
    """Return a line of a report log, of a test on the board X1."""
    entry = {"$report_type": "TestReport", "nodeid": name, "outcome": "passed"}
    return json.dumps(entry | {"user_properties": [["board", "X1"]]})


def test_a_log_that_was_cut_off(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"{report('a.py::b[X1]')}\n{report('a.py::c[X1]')[:20]}")
    assert suite.results(log) == [Judged("a.py::b", "passed")]
    assert suite.results(tmp_path / "none") == []


def test_names_are_without_the_board_and_with_their_parameters(tmp_path: Path) -> None:
    log = tmp_path / "log"
    names = ["a.py::b[1-X1]", "a.py::b[2-X1]", "a.py::b[X1-3]", "a.py::c"]
    log.write_text("".join(f"{report(name)}\n" for name in names))
    assert [one.name for one in suite.results(log)] == [
        "a.py::b[1]",
        "a.py::b[2]",
        "a.py::b[3]",
        "a.py::c",
    ]


def test_a_check_that_is_killed_has_left_what_it_saw(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []

    def killed(*_: object) -> None:
        left.append((project.BUILD / "check/PICO.md").read_text())
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "times", killed)
    desk.plug_in()
    assert check(desk) == 130
    [markdown] = left
    assert markdown.startswith("### modthread on PICO: incomplete\n")
    assert row(markdown, "reached") == "flash, boot; then: the check goes on, or was killed"


def test_what_is_like_the_emulators_is_no_difference() -> None:
    verdict = Verdict("PICO", Reference("1", {"a": "passed"}, {"lock": 10.0, "gone": 1.0}))
    verdict.tests = [Judged("a", "passed"), Judged("new", "failed")]
    verdict.timings = {"lock": 25.0, "new": 1234.5}
    assert verdict.differences() == []
    assert "in nothing that was seen" in verdict.markdown()
    assert row(verdict.markdown(), "new") == "1,234 | - | -"


def test_what_the_reference_lacks_is_counted() -> None:
    verdict = Verdict("PICO", Reference("1", {"a": "passed"}, {"lock": 10.0}))
    verdict.tests, verdict.timings = [Judged("a", "passed")], {"lock": 10.0}
    assert "lacks" not in verdict.markdown()
    verdict.tests += [Judged("b", "passed"), Judged("c", "passed")]
    assert "\nnot compared, as the reference lacks them: 2 tests\n" in verdict.markdown()
    verdict.timings["new"] = 1.0
    assert verdict.not_in_reference().endswith(": 2 tests, 1 times")


def test_a_damaged_reference(tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    path.write_text("{")
    with pytest.raises(ModthreadError, match="write it again with --reference, or delete it"):
        Reference.read(path)


@pytest.mark.lane("long")
def test_an_emulated_board_as_a_real_one(
    capfd: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(flasher, "ANSWER_LIMIT", 120.0)  # for the checksum, on a busy host
    monkeypatch.setattr(suite, "SHORT", ("lock",))
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))
    board = boards.load("RPI_PICO")
    build.firmware(board)
    assert board.emulator
    emulator = Emulator(board, board.emulator.test_icount)
    try:
        arguments = ["--no-build", "--board", f"RPI_PICO@{emulator.start()}"]
        status = cli.main(["check-board", *arguments])
    finally:
        emulator.stop()
    markdown = capfd.readouterr().out
    assert status == 0, markdown
    assert row(markdown, "chip").startswith("Raspberry Pi Pico with RP2040, boot ROM ")
    assert row(markdown, "image").endswith("; was there already")
    assert "failed" not in markdown
    assert "in nothing that was seen\n" in markdown
    _, _, rows = markdown.partition(
        "| time | us | emulator's us | ratio |\n| --- | --- | --- | --- |\n"
    )
    times = dict(line.strip("| ").split(" | ", 1) for line in rows.splitlines())
    assert float(times["with lock"].partition(" |")[0]) > 1
    assert len(times) > 10
    assert [name for name, figures in times.items() if "-" in figures] == []
