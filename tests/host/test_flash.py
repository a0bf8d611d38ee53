"""`modthread flash`: the ways to a board that runs the firmware, and to be told why not."""

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interrupted import killed
from plugged_pico import NEW, OLD, START, Desk, padded, plugged_pico, uf2

from modthread import cli
from modthread._base import project
from modthread._boards import boards, reservation
from modthread._flash import bootloader, flasher, rp2
from modthread._link.line import touch
from modthread._link.session import Session
from modthread._link.traffic import TrafficLog


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with plugged_pico(tmp_path, monkeypatch) as desk:
        yield desk


@pytest.fixture
def silent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the only limit that a test has to wait for: that of a board that never answers."""
    for module in (flasher, rp2):
        monkeypatch.setattr(module, "ANSWER_LIMIT", 0.3)


Capture = pytest.CaptureFixture[str]


def command_line(desk: Desk, *arguments: object) -> list[str]:
    return ["flash", "--no-build", "--board", str(desk.board), *map(str, arguments)]


def flash(desk: Desk, *arguments: object) -> int:
    return cli.main(command_line(desk, *arguments))


def succeeds(desk: Desk, capsys: Capture, *arguments: object) -> None:
    """Flash, and check that one line says so."""
    assert flash(desk, *arguments) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line == f"PICO on {desk.folder / 'tty0'} runs modthread 1.2.3"


def complaint(desk: Desk, capsys: Capture, *arguments: object) -> str:
    """Flash, and return the one line that says why it failed."""
    assert flash(desk, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *progress, line = captured.err.splitlines()
    assert progress in ([], ["Flashing PICO ..."])
    assert line.startswith("modthread: ")
    return line.removeprefix("modthread: ")


def test_the_only_board_is_found_and_flashed_through_its_drive(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in()
    succeeds(desk, capsys)
    assert pico.flash == padded(NEW)


def test_what_the_board_runs_already_is_not_written_again(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(flash=padded(NEW), returns=None)
    assert flash(desk) == 0
    assert capsys.readouterr().out == (
        f"PICO on {pico.port} runs modthread 1.2.3 already; nothing was written\n"
    )
    assert pico.port.exists()


def test_another_build_of_the_same_version_is_written(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(flash=padded(NEW)[:-1] + b"?")
    succeeds(desk, capsys)
    assert pico.flash == padded(NEW)


def test_always_writes_even_what_runs_already(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(flash=padded(NEW))
    succeeds(desk, capsys, "--always")
    assert pico.blocks_taken == len(padded(NEW)) // 256


def test_an_image_of_ones_own(desk: Desk, capsys: Capture) -> None:
    own = desk.folder / "own.uf2"
    own.write_bytes(uf2(b"modthread 7\0" + bytes(1000)))
    desk.plug_in()
    assert flash(desk, "--image", own) == 0
    assert capsys.readouterr().out == f"PICO on {desk.folder / 'tty0'} runs modthread 7\n"


def test_a_named_port_needs_no_usb_ids(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(usb=None)
    succeeds(desk, capsys, "--port", pico.port)
    assert pico.flash == padded(NEW)


def test_a_named_port_may_be_a_link(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in()
    link = desk.folder / "by-id"
    link.symlink_to(pico.port)
    succeeds(desk, capsys, "--port", link)


def test_picotool_writes_where_it_is_installed(desk: Desk, capsys: Capture) -> None:
    desk.install_picotool()
    pico = desk.plug_in(mounted=False)
    succeeds(desk, capsys)
    assert pico.flash == padded(NEW)
    calls = (desk.folder / "picotool.calls").read_text().splitlines()
    assert set(calls[:-1]) == {"info -d"}
    assert calls[-1] == f"load -v -x {desk.image}"


def test_a_picotool_that_does_not_start_is_not_used(desk: Desk, capsys: Capture) -> None:
    """As the packaged one on an older system: version `GLIBC_2.38' not found."""
    program = desk.folder / "bin/picotool"
    program.write_text("#!/bin/sh\necho 'GLIBC_2.38 not found' >&2\nexit 1\n")
    program.chmod(0o755)
    desk.plug_in()
    succeeds(desk, capsys)


def test_a_failure_of_picotool_is_shown(desk: Desk, capsys: Capture) -> None:
    failure = "printf '  FAILED\\nERROR: The device contents did not match the file\\n'; exit 245"
    desk.install_picotool(load=failure)
    desk.plug_in(start="waiting")
    assert complaint(desk, capsys) == (
        "picotool failed: ERROR: The device contents did not match the file; "
        "run this again, it starts afresh"
    )


@pytest.mark.usefixtures("silent")
def test_1200_baud_where_micropython_does_not_answer(
    desk: Desk, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pico = desk.plug_in(start="silent")

    def touched(port: str) -> None:
        monkeypatch.setattr(flasher, "ANSWER_LIMIT", 120.0)  # it will answer
        touch(port)

    monkeypatch.setattr(rp2, "touch", touched)
    succeeds(desk, capsys)
    assert pico.flash == padded(NEW)


@pytest.mark.parametrize("named", [False, True])
def test_a_board_in_its_bootloader_is_found(desk: Desk, capsys: Capture, named: bool) -> None:
    """Whatever an interrupted run left, the same command goes on from there."""
    pico = desk.plug_in(start="waiting")
    succeeds(desk, capsys, *(["--port", pico.port] if named else []))
    assert pico.flash == padded(NEW)


def test_half_a_copy_of_another_image_does_not_stay(desk: Desk, capsys: Capture) -> None:
    """An interrupted copy leaves blocks that the boot ROM would keep if it were not told."""
    pico = desk.plug_in(start="waiting")
    other = uf2(b"x" * len(NEW))
    (pico.drive / "half.uf2").write_bytes(other[: len(other) // 1024 * 512])
    succeeds(desk, capsys)
    assert pico.flash == padded(NEW)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_the_next_run_repairs_an_interrupted_one(
    desk: Desk, capsys: Capture, number: int, status: int
) -> None:
    loading = desk.folder / "loading"
    desk.install_picotool(load=f"touch {loading}; exec sleep 30")
    pico = desk.plug_in()
    code = f"""
import signal, sys
sys.path[:0] = {sys.path!r}
signal.signal(signal.SIGINT, signal.default_int_handler)
from modthread import cli
from modthread._base import project
project.BUILD = project.Path({str(project.BUILD)!r})
arguments = ["flash", "--no-build", "--board", {str(desk.board)!r}, "--port", {str(pico.port)!r}]
sys.exit(cli.main(arguments))
"""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        wait_for(loading.exists)
        assert not pico.port.exists()
        locks = list(reservation.directory().iterdir())
        assert len(locks) == 2  # the board's, and that of all bootloaders
        for path in locks:
            with path.open() as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        process.send_signal(number)
        assert process.wait(120) == status
    desk.install_picotool()
    succeeds(desk, capsys, "--port", pico.port)
    assert pico.flash == padded(NEW)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 20, 60, 100, 130, 133])
def test_the_next_run_repairs_what_kill_9_has_left(desk: Desk, step: int) -> None:
    new = b"modthread 1.2.3\0" + bytes(range(256)) * 4096
    desk.write_image(uf2(new))
    pico = desk.plug_in()
    assert killed(command_line(desk, "--port", pico.port), step) == -9
    assert flash(desk, "--port", pico.port) == 0
    assert pico.flash == padded(new)


def test_a_board_that_leaves_for_its_bootloader_meanwhile(
    desk: Desk, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a run that was killed has told it to, while the next one finds it on its port."""
    pico = desk.plug_in()

    def locked(port: str, wait: float) -> reservation.Reservation:
        if pico.port.exists():
            with Session(port, TrafficLog(desk.folder / "other.log")) as session:
                session.interrupt_all(10)
                session.bootloader(10)
            wait_for(lambda: not pico.port.exists())
        return reservation.Reservation(port, wait)

    monkeypatch.setattr(rp2, "Reservation", locked)
    succeeds(desk, capsys, "--port", pico.port)
    assert pico.flash == padded(NEW)


def test_a_board_that_another_process_has_is_left_alone(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in()
    reservation.directory().mkdir()
    with (reservation.directory() / "E66-tty0").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert complaint(desk, capsys) == (
            f"{pico.port} is in use by a process that has not yet said its name; "
            "wait for it with --wait SECONDS"
        )
    succeeds(desk, capsys)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def always() -> bool:
    return True


def test_no_board(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = always
    assert complaint(desk, capsys) == (
        "no board found; plug in a Raspberry Pi Pico, or hold BOOTSEL while you plug it in, "
        "and run this again"
    )


def test_no_such_port(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = always
    other = desk.plug_in()
    assert complaint(desk, capsys, "--port", "/dev/nothing") == (
        f"/dev/nothing: no such port; connected: {other.port}; plug in a Raspberry Pi Pico, "
        "or hold BOOTSEL while you plug it in, and run this again"
    )


def test_a_board_on_another_host(desk: Desk, capsys: Capture) -> None:
    url = "rfc2217://desk:2217"
    assert complaint(desk, capsys, "--port", url) == (
        f"{url}: a Raspberry Pi Pico is written to over USB; "
        "flash it on the host that it is plugged into"
    )


def test_two_boards_on_ports(desk: Desk, capsys: Capture) -> None:
    picos = [desk.plug_in(name) for name in ("tty0", "tty1")]
    assert complaint(desk, capsys) == (
        f"2 boards: {desk.folder}/tty0 (serial number E66-tty0), "
        f"{desk.folder}/tty1 (serial number E66-tty1); name the port of one"
    )
    succeeds(desk, capsys, "--port", picos[0].port)
    assert [pico.flash for pico in picos] == [padded(NEW), OLD]


def test_two_boards_in_their_bootloaders(desk: Desk, capsys: Capture) -> None:
    picos = [desk.plug_in(name, start="waiting") for name in ("tty0", "tty1")]
    assert complaint(desk, capsys) == (
        f"2 boards: the RPI-RP2 at {picos[0].drive}, in its bootloader, "
        f"the RPI-RP2 at {picos[1].drive}, in its bootloader; unplug all but one"
    )


@pytest.mark.parametrize("named", [False, True])
def test_one_on_a_port_and_one_in_its_bootloader(desk: Desk, capsys: Capture, named: bool) -> None:
    """Nothing tells two boards in their bootloaders apart: they have the same serial number."""
    pico, other = desk.plug_in(), desk.plug_in("tty1", start="waiting")
    assert complaint(desk, capsys, *(["--port", pico.port] if named else [])) == (
        f"2 boards: {pico.port} (serial number E66-tty0), the RPI-RP2 at {other.drive}, "
        "in its bootloader; unplug all but one"
    )
    assert pico.flash == OLD


def test_wrong_chip_says_micropython(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(machine="Raspberry Pi Pico2 with RP2350")
    assert complaint(desk, capsys) == (
        f"{pico.port} is a Raspberry Pi Pico2 with RP2350, PICO needs RP2040; "
        "nothing was written; name the right board or port"
    )
    assert pico.is_alive()


@pytest.mark.usefixtures("silent")
def test_wrong_chip_says_the_drive(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(start="silent", board_id="RP2350")
    desk.clock.nothing_comes = pico.is_mounted
    assert (
        complaint(desk, capsys)
        == complaint(desk, capsys)
        == (
            f"the RP2350 at {pico.drive}: not a Raspberry Pi Pico, nothing was written; "
            "name the right board"
        )
    )
    assert [path.name for path in pico.drive.iterdir()] == ["INFO_UF2.TXT"]


def test_wrong_chip_says_picotool(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = always
    desk.install_picotool("RP2350")
    desk.plug_in(start="waiting", mounted=False)
    assert complaint(desk, capsys) == (
        "the RP2350 that picotool sees: not a Raspberry Pi Pico, nothing was written; "
        "name the right board"
    )


@pytest.mark.usefixtures("silent")
def test_another_vendors_silent_board_is_left_alone(desk: Desk, capsys: Capture) -> None:
    pico = desk.plug_in(usb="2341:0043", start="silent")
    assert complaint(desk, capsys, "--port", pico.port) == (
        f"{pico.port} (USB 2341:0043) does not answer as MicroPython and is not a "
        "Raspberry Pi Pico; nothing was written; name the right port"
    )
    assert not (desk.folder / "in-bootloader").exists()


def test_drive_not_mounted(desk: Desk, capsys: Capture) -> None:
    desk.plug_in(mounted=False)
    desk.clock.nothing_comes = (desk.folder / "in-bootloader").exists
    expected = (
        "the board is in its bootloader, but its drive RPI-RP2 is not mounted; run udisksctl "
        f"mount -b {desk.folder}/labels/RPI-RP2, or install picotool, and run this again"
    )
    assert complaint(desk, capsys) == expected
    (desk.folder / "labels/RPI-RP2").touch()
    assert complaint(desk, capsys) == expected


def test_board_that_does_not_enter_its_bootloader(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = always
    pico = desk.plug_in(start="deaf")
    assert complaint(desk, capsys) == (
        f"the board on {pico.port} did not enter its bootloader; "
        "hold BOOTSEL while you plug it in, and run this again"
    )


def test_drive_that_does_not_take_the_image(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = always
    desk.plug_in(start="waiting", takes=False)
    assert complaint(desk, capsys) == (
        "the board did not take the firmware: its drive is still there; "
        "unplug it, hold BOOTSEL while you plug it in, and run this again"
    )


def test_drive_that_cannot_be_written_to(desk: Desk, capsys: Capture) -> None:
    desk.clock.nothing_comes = always
    pico = desk.plug_in(start="waiting")
    (pico.drive / "firmware.uf2").mkdir()
    assert complaint(desk, capsys) == (
        f"the board did not take the firmware: {pico.drive}: Is a directory; "
        "unplug it, hold BOOTSEL while you plug it in, and run this again"
    )


@pytest.mark.parametrize(
    ("returns", "why"),
    [(None, "its serial port did not come back"), ("silent", "the board did not answer in time")],
)
def test_board_that_does_not_answer_afterwards(
    desk: Desk,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    returns: str | None,
    why: str,
) -> None:
    pico = desk.plug_in(returns=returns)

    def is_back() -> bool:
        return pico.flash == padded(NEW) and (not returns or pico.port.exists())

    def write(*arguments: Any) -> None:
        monkeypatch.setattr(flasher, "ANSWER_LIMIT", 0.3)  # from now on, it never answers
        written(*arguments)

    written = bootloader.write
    monkeypatch.setattr(bootloader, "write", write)
    desk.clock.nothing_comes = is_back
    assert complaint(desk, capsys) == (
        f"the firmware is written, but the board does not answer: {why}; "
        "hold BOOTSEL while you plug it in, and run this again"
    )


@pytest.mark.parametrize(
    ("settings", "runs"),
    [({"garbles": True}, "modthread 1.2.3"), ({"rejects": True}, "no modthread")],
)
def test_board_that_runs_something_else_afterwards(
    desk: Desk, capsys: Capture, settings: dict[str, Any], runs: str
) -> None:
    pico = desk.plug_in(**settings)
    assert complaint(desk, capsys) == (
        f"the board on {pico.port} runs {runs} and not {desk.image}: what is in its flash "
        "differs; hold BOOTSEL while you plug it in, and run this again"
    )


@pytest.mark.parametrize(
    ("image", "why"),
    [
        (b"", "damaged (0 bytes are no whole number of blocks); delete it and build it again"),
        (uf2(NEW)[:-1], "bytes are no whole number of blocks); delete it and build it again"),
        (uf2(NEW)[:-512], "damaged (block 0 says that it is 0 of 101)"),
        (uf2(NEW)[:512] + bytes(512) + uf2(NEW)[1024:], "damaged (block 1 is none)"),
        (uf2(NEW)[512:], "damaged (block 0 says that it is 1 of 101)"),
        (uf2(NEW, start=START + 256), "damaged (block 0 is for 0x10000100)"),
        (uf2(NEW, start=0x20000000), "does not fit: 0x20000000 is not in PICO's flash"),
        (uf2(NEW, start=START + 0x1000000), "does not fit: 0x11000000 is not in PICO's flash"),
        (
            uf2(NEW, family=0xE48BFF59),
            "is not for RP2040: its family is 0xe48bff59, PICO takes 0xe48bff56; "
            "name the right board",
        ),
    ],
)
def test_unfit_image_is_not_written(desk: Desk, capsys: Capture, image: bytes, why: str) -> None:
    pico = desk.plug_in()
    desk.write_image(image)
    line = complaint(desk, capsys)
    assert line.startswith(f"{desk.image} ")
    assert why in line
    assert pico.flash == OLD
    assert pico.port.exists()


def test_no_image(desk: Desk, capsys: Capture) -> None:
    desk.image.unlink()
    assert complaint(desk, capsys) == (
        f"{desk.image}: No such file or directory; build it with make firmware BOARD=PICO, "
        "or name another file"
    )


def test_emulated_board_needs_no_flashing(capsys: Capture) -> None:
    assert cli.main(["flash", "--no-build", "--board", boards.DEFAULT]) == 2
    assert capsys.readouterr().err == (
        "modthread: MPS2_AN385 is emulated and needs no flashing; "
        "boards that are flashed: modthread boards --all\n"
    )


def test_board_that_nobody_knows_how_to_flash(desk: Desk, capsys: Capture) -> None:
    (desk.board / "board.toml").write_text('description = "a fake"\n')
    assert complaint(desk, capsys) == (
        "PICO has no [flash] in board.toml; boards that are flashed: modthread boards --all"
    )


def test_a_board_that_calls_itself_another_one_is_left_alone(desk: Desk, capsys: Capture) -> None:
    """Boards may share USB identifiers and chip: what runs there tells them apart."""
    pico = desk.plug_in(machine="Seeed XIAO RP2040 with RP2040")
    assert complaint(desk, capsys) == (
        f"{pico.port} calls itself Seeed XIAO RP2040 with RP2040, which is not PICO; nothing was "
        f"written; to write all the same, name both: --board PICO@{pico.port}"
    )
    assert pico.flash == OLD
    assert pico.is_alive()
    succeeds(desk, capsys, "--port", pico.port)
    assert pico.flash == padded(NEW)
