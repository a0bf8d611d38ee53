"""`modthread flash` of the ESP32 family: the real esptool and a boot ROM on a pseudo-terminal."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from interrupted import killed
from plugged_esp32 import ERASED, Desk, image

from modthread import cli
from modthread._base import project
from modthread._flash import flasher

pytestmark = pytest.mark.lane("test")  # each is a run of esptool


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    monkeypatch.setattr(project, "BUILD", tmp_path / "build")
    monkeypatch.setenv("MODTHREAD_LOCKS", str(tmp_path / "locks"))
    desk = Desk(tmp_path, capsys)
    desk.clock.install(monkeypatch, flasher)
    yield desk
    desk.unplug()


@pytest.fixture
def silent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the limit of an answer that never comes."""
    monkeypatch.setattr(flasher, "ANSWER_LIMIT", 0.3)


def test_all_parts_are_written_where_they_belong(desk: Desk) -> None:
    desk.plug_in()
    assert desk.flash() == 0
    assert desk.said() == f"C3 on {desk.port} runs modthread 1.2.3\n"
    assert desk.has_all()


def test_what_the_board_runs_already_is_not_written_again(desk: Desk) -> None:
    desk.plug_in()
    assert desk.flash() == 0
    desk.plug_in(garbles=1)
    desk.said()
    assert desk.flash() == 0
    already = "already; nothing was written"
    assert desk.said() == f"C3 on {desk.port} runs modthread 1.2.3 {already}\n"
    assert desk.complaint("--always").startswith(f"esptool failed on {desk.port}: ")


@pytest.mark.usefixtures("silent")
def test_a_board_without_micropython_is_written(desk: Desk) -> None:
    desk.clock.nothing_comes = lambda: True
    desk.plug_in(start="half")
    assert desk.flash() == 2
    assert desk.has_all()


@pytest.mark.parametrize("step", [1, 2, 3, 4, 8, 16, 24, 32, 40, 59])
def test_the_next_run_repairs_what_kill_9_has_left(desk: Desk, step: int) -> None:
    desk.plug_in()
    assert killed(desk.command, step) == -9
    assert desk.flash() == 0
    assert desk.has_all()


def test_one_file_with_everything(desk: Desk) -> None:
    desk.plug_in()
    everything = desk.board / "firmware.bin"
    everything.write_bytes(image(5, b"modthread 4.5.6\0" + bytes(range(256)) * 20))
    desk.files = {0: everything.read_bytes()}
    assert desk.flash("--image", everything) == 0
    assert desk.said() == f"C3 on {desk.port} runs modthread 4.5.6\n"
    assert desk.has_all()


def test_what_is_written_wrong_is_noticed(desk: Desk) -> None:
    desk.plug_in(garbles=30)
    assert desk.complaint() == (
        f"esptool failed on {desk.port}: MD5 of file does not match data in flash; "
        "hold BOOT while you press RESET, and run this again"
    )


def test_a_board_that_is_unplugged_in_the_midst(desk: Desk) -> None:
    desk.plug_in(dies_at=30)
    assert desk.complaint().startswith(f"esptool failed on {desk.port}: ")
    desk.plug_in()
    assert desk.flash() == 0
    assert desk.has_all()


def test_another_chip_says_micropython(desk: Desk) -> None:
    desk.plug_in(machine="ESP32S3 module with ESP32S3")
    assert desk.complaint() == (
        f"{desk.port} is a ESP32S3 module with ESP32S3, C3 needs ESP32C3; nothing was written; "
        "name the right board or port"
    )
    assert desk.flash_file.read_bytes() == ERASED


@pytest.mark.usefixtures("silent")
def test_another_chip_says_its_boot_rom(desk: Desk) -> None:
    desk.plug_in(start="half", chip=9)
    assert desk.complaint() == (
        f"{desk.port} is an ESP32-S3, C3 needs ESP32C3; nothing was written; "
        "name the right board or port"
    )
    assert desk.flash_file.read_bytes() == ERASED


def test_a_build_for_another_chip(desk: Desk) -> None:
    desk.write_build("esp32s3")
    desk.plug_in()
    assert desk.complaint() == (
        f"{desk.build}/flasher_args.json is for ESP32S3, C3 needs ESP32C3; name the right board"
    )


def test_an_image_for_another_chip(desk: Desk) -> None:
    desk.plug_in()
    other = desk.board / "firmware.bin"
    other.write_bytes(image(9, bytes(1000)))
    assert desk.complaint("--image", other) == (
        f"{other} is not for ESP32C3; nothing was written; name the right file"
    )
    assert desk.flash_file.read_bytes() == ERASED


def test_files_that_are_missing(desk: Desk) -> None:
    (desk.build / "8000.bin").unlink()
    missing = (
        "No such file or directory; build it with make firmware BOARD=C3, or name another file"
    )
    assert desk.complaint() == f"{desk.build}/8000.bin: {missing}"
    (desk.build / "flasher_args.json").write_text("{}")
    assert desk.complaint() == (
        f"{desk.build}/flasher_args.json is damaged ('flash_files'); build it again"
    )
    (desk.build / "flasher_args.json").unlink()
    assert desk.complaint() == f"{desk.build}/flasher_args.json: {missing}"


def test_no_port_is_one_line(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["flash", "--no-build", "--board", str(desk.board)]) == 2
    assert re.search(r"^modthread: no C3 found; connected: .*$", capsys.readouterr().err, re.M)


def test_no_such_port(desk: Desk) -> None:
    assert desk.complaint().startswith(f"{desk.port}: no such port; connected: ")


@pytest.mark.parametrize(("option", "written"), [("--flash", True), ("--no-flash", False)])
def test_pytest_flashes_where_it_is_asked_to(desk: Desk, option: str, written: bool) -> None:
    folder = desk.board.parents[1]
    (folder / "pyproject.toml").write_text("[tool.modthread]\n")
    (folder / "tests/device").mkdir(parents=True)
    (folder / "tests/device/test_it.py").write_text("def test_it():\n    pass\n")
    desk.flash_file.write_bytes(b"modthread 0.9\0".ljust(len(ERASED)))
    desk.plug_in()
    where = ["--board", f"{desk.board}@{desk.port}"]
    arguments = ["-p", "no:cacheprovider", "--no-build", *where, option]
    code = f"""
import sys, pytest
from modthread._base import project
project.BUILD = project.Path({str(project.BUILD)!r})
sys.exit(pytest.main({arguments!r}))
"""
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"modthread {'1.2.3' if written else '0.9'}, no kernel\n" in result.stdout
    assert desk.has_all() == written
