"""Logs of the traffic: their owners, and places where no log can be."""

from pathlib import Path

import pytest

from modthread._boards.boards import Board
from modthread._link.traffic import TrafficLog
from modthread.device import Device
from modthread.errors import ModthreadError


def test_who_writes_to_an_older_log_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "logs/board.log"
    older, newer = TrafficLog(path), TrafficLog(path)
    assert not path.parent.exists()
    older.note("first")
    with path.open() as file:
        newer.note("second")
        older.note("third")
        assert [line.split("# ")[1] for line in file] == ["first\n", "third\n"]
    assert path.read_text().endswith("# second\n")


def test_what_is_logged_nowhere_leaves_that(tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")
    TrafficLog(link).note("lost")
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["file/board.log", "full"])
def test_where_no_log_can_be_kept_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").symlink_to("/dev/full")
    log = TrafficLog(tmp_path / name)
    with pytest.raises(ModthreadError, match=rf"^{tmp_path}/{name}: .*; the log of the serial "):
        log.note("lost")
    log.close()


def test_a_log_may_be_called_anything(tmp_path: Path) -> None:
    device = Device(Board("REAL", "on a port"), "/dev/nothing", logs=tmp_path)
    device.log_to("test_it.py::test[" + "\N{SNOWMAN}/" * 200 + "]")
    device.log.note("said")
    assert device.log.path.is_file()
