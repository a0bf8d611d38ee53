"""What is said of threads that wait, and of those that wait for each other."""

import sys
from types import ModuleType

import pytest

from modthread import device
from modthread._reports.deadlock import deadlocks, waits
from modthread._reports.tracebacks import Thread


def thread(ident: int, owner: int | None = None, kind: str = "lock") -> Thread:
    """Return a thread that waits for what `owner` has."""
    name = "main" if ident == 1 else f"work {ident}"
    return Thread(ident, "waiting", 4096, 312, name, "", kind, 0x2000 + ident, owner)


@pytest.mark.parametrize(
    ("kind", "owner", "said"),
    [
        ("lock", 1, "Lock 0x2002, taken by main"),
        ("lock", 3, "Lock 0x2002, taken by thread 3 (work 3)"),
        ("lock", 2, "Lock 0x2002, taken by itself"),
        ("lock", 9, "Lock 0x2002, taken by thread 9, which has ended"),
        ("RLock", 3, "RLock 0x2002, held by thread 3 (work 3)"),
        ("_ThreadHandle", 3, "the end of thread 3 (work 3)"),
        ("Event", None, "Event 0x2002"),
        ("_Queue", None, "Queue 0x2002"),
        ("Condition", None, "Condition 0x2002"),
    ],
)
def test_waits(kind: str, owner: int | None, said: str) -> None:
    others = [thread(3, kind=""), thread(1, kind="")]
    assert waits([thread(2, owner, kind), *others]) == [f"thread 2 (work 2) waits for {said}"]


@pytest.mark.parametrize(
    ("owners", "said"),
    [
        ({}, []),
        ({1: None, 2: None}, []),
        ({2: 1, 3: 2, 1: None}, []),  # a chain ends
        ({2: 9}, []),
        ({1: 1, 2: 1}, ["deadlock of main alone"]),
        ({2: 1, 1: 2}, ["deadlock of main and thread 2 (work 2)"]),
        ({5: 2, 2: 3, 3: 2}, ["deadlock of thread 2 (work 2) and thread 3 (work 3)"]),
        (
            {4: 1, 1: 3, 3: 4, 2: 1},
            ["deadlock of main, thread 3 (work 3) and thread 4 (work 4)"],
        ),
        (
            {1: 2, 2: 1, 3: 4, 4: 3},
            [
                "deadlock of main and thread 2 (work 2)",
                "deadlock of thread 3 (work 3) and thread 4 (work 4)",
            ],
        ),
    ],
)
def test_deadlocks(owners: dict[int, int | None], said: list[str]) -> None:
    assert deadlocks([thread(ident, owner) for ident, owner in owners.items()]) == said


@pytest.mark.parametrize("more", [(), (None, None)])
def test_rows_of_older_firmware_are_shorter(
    more: tuple[None, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    board = ModuleType("_thread")
    monkeypatch.setattr(board, "_interrupt_notes", list, raising=False)
    row = (2, "waiting", 4096, 312, None, *more)
    monkeypatch.setattr(board, "_threads", lambda: [row], raising=False)
    monkeypatch.setitem(sys.modules, "_thread", board)
    exec(device.NOTES, {})
    assert (
        capsys.readouterr().out
        == f"<<[2, 'waiting', 4096, 312, 'None', None, '', {id(None)}, None]>>\n"
    )
