"""`modthread soak`: what it counts, keeps and tells, and a little of each of its workloads."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from modthread import cli
from modthread._base import project
from modthread._soak.campaign import Campaign
from modthread._soak.command import Soak, campaign_file
from modthread._soak.programs import Program, program
from modthread._soak.workloads import WORKLOADS, WrongError
from modthread.device import Device

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def soak(
    fake_board: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """Return a function that runs the command on a fake board, one kind of work only."""
    monkeypatch.setattr(project, "BUILD", tmp_path / "build")
    board = fake_board()

    def soak(*arguments: str, hours: float = 0.0005, only: str = "programs") -> int:
        words = ["--no-build", "--board", board, f"--hours={hours}", f"--only={only}"]
        return cli.main(["soak", *words, *arguments])

    return soak


def counted() -> Campaign:
    campaign = Campaign.load(campaign_file("FAKE"))
    assert campaign
    return campaign


@pytest.mark.parametrize("seed", range(10))
def test_programs_print_what_is_known(seed: int) -> None:
    for number in range(3):
        one = program(Random(f"{seed} {number}"))
        command = [sys.executable, "-I", "-c", one.source]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.stdout, done.stderr) == (one.output, ""), one.source


def test_a_seed_repeats_its_programs() -> None:
    assert program(Random(1)) == program(Random(1))
    assert program(Random(1)) != program(Random(2))


def test_campaign_counts_and_goes_on(soak: Callable[..., int], capfd: Capture) -> None:
    assert soak("--seed=7") == 0
    first = counted()
    assert first.seed == 7
    assert first.tallies["programs"].count == 20 * first.tallies["programs"].batches > 0
    output = capfd.readouterr().out
    assert "\nseed 7\n" in output
    assert f"programs{' ' * 16}{first.tallies['programs'].count:14,}{20000:14,}" in output
    assert soak() == 0
    batches = first.tallies["programs"].batches
    assert f"\nseed 7, goes on after {batches} batches\n" in capfd.readouterr().out
    assert counted().tallies["programs"].batches > batches
    page = campaign_file("FAKE").with_name("report.html").read_text()
    assert "<h1>Campaign on FAKE</h1>" in page
    assert "0 failed" in page


def test_a_new_seed_begins_anew(soak: Callable[..., int]) -> None:
    assert soak("--seed=7") == 0
    assert soak("--seed=8", hours=1e-9) == 0
    assert counted().seed == 8
    assert counted().tallies == {}


def test_what_is_interrupted_comes_again(
    soak: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    numbers = []

    def run(device: Device, random: Random, size: int) -> int:
        numbers.append(random.random())
        if len(numbers) == 3:
            raise KeyboardInterrupt
        return size

    monkeypatch.setitem(WORKLOADS, "programs", replace(WORKLOADS["programs"], run=run))
    assert soak("--seed=7", hours=1) == 130
    assert counted().tallies["programs"].count == 40
    assert soak() == 0
    assert numbers[3] == numbers[2] not in numbers[:2]
    assert "programs" in capfd.readouterr().out


def test_failures_are_told_kept_and_come_again(
    soak: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    wrong = Program("print('<one>')\n", "two\n")
    monkeypatch.setattr("modthread._soak.workloads.program", lambda _: wrong)
    assert soak("--seed=7") == 1
    told = capfd.readouterr().err
    assert "modthread: programs, batch 0: a program printed something else\n" in told
    again = "modthread soak --board FAKE --seed 7 --repeat programs:0"
    assert f"modthread: once more: {again}\n" in told
    failure = counted().failures[0]
    assert "expected:\ntwo\n\nprinted:\n<one>\n" in failure.details
    assert "one" in (project.BUILD / "soak/FAKE/programs-0.log").read_text()
    page = campaign_file("FAKE").with_name("report.html").read_text()
    assert "printed:\n&lt;one&gt;\n" in page
    assert again in page
    assert soak("--seed=7", "--repeat=programs:0") == 1
    assert "a program printed something else" in capfd.readouterr().out
    assert counted().tallies["programs"].batches == len(counted().failures)


def test_a_board_that_is_stuck_is_brought_back(
    soak: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.setattr("modthread._soak.workloads.LIMIT", 1.0)
    monkeypatch.setattr("modthread.device.ANSWER_LIMIT", 1.0)
    monkeypatch.setattr("modthread._soak.workloads.program", lambda _: Program("die()\n", ""))
    assert soak("--seed=7") == 1
    assert "the emulator ended with status 7" in counted().failures[0].message


def test_a_script_that_does_not_say_how_much(
    soak: Callable[..., int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("modthread._soak.workloads.SCRIPTS", tmp_path)
    (tmp_path / "locks.py").write_text("print('hm')\nprint(SIZE)\n")
    (tmp_path / "calls.py").write_text("print('hm')\n")
    assert soak("--seed=7", only="locks") == 0
    assert soak("--seed=7", only="calls") == 1
    failure = counted().failures[0]
    assert failure.message == "the script has not come to its end"
    assert failure.details == "hm\n"


@pytest.mark.parametrize("text", ["nothing:1", "calls", "calls:x"])
def test_what_is_no_batch(text: str, capfd: Capture) -> None:
    with pytest.raises(SystemExit):
        cli.main(["soak", "--repeat", text])
    assert f"{text} is no batch; name one as in calls:17" in capfd.readouterr().err


def test_a_file_that_is_no_campaign(soak: Callable[..., int], capfd: Capture) -> None:
    path = campaign_file("FAKE")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert soak() == 2
    assert "delete it to start afresh" in capfd.readouterr().err


@pytest.mark.lane("hours", "RPI_PICO")
@pytest.mark.parametrize("name", WORKLOADS)
def test_a_little_of(name: str, device: Device) -> None:
    sizes = {"locks": 3000, "resets": 4, "calls": 1000, "memory": 41, "programs": 3}
    share = sizes[name] / WORKLOADS[name].size
    soak = Soak(device, Campaign(device.board.name, 1, share))
    try:
        device.clean_up()
        assert soak._run(WORKLOADS[name], 0) >= min(sizes[name], 2900)
    except WrongError as error:
        pytest.fail(f"{error}\n{error.details}")
