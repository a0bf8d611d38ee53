"""How the tests are dealt out to processes."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from modthread._boards import board_choice
from modthread.plugin.board_item import FLEET
from modthread.plugin.xdist_plan import BoardScheduling

NAMES = [
    *(f"tests/device/test_a.py::test_{number}[FAST]" for number in range(20)),
    *(f"tests/device/test_b.py::test_{number}[FAST]" for number in range(30)),
    *(f"tests/device/test_a.py::test_{number}[SLOW]" for number in range(10)),
    *(f"tests/device/test_b.py::test_{number}[SLOW]" for number in range(3)),
    *(f"tests/device/test_{file}.py::test_it[REAL]" for file in "ab"),
    *(f"tests/host/test_c.py::test_{number}" for number in range(3)),
    *(f"tests/host/test_d.py::test_{number}" for number in range(4)),
]
ORDER = [
    "REAL",
    "tests/host/test_d.py",
    "tests/host/test_c.py",
    "SLOW tests/device/test_a.py",
    "SLOW tests/device/test_b.py",
    "FAST tests/device/test_b.py",
    "FAST tests/device/test_a.py",
]


class Node:
    """A process that notes what it is told to run, and says that it has."""

    gateway = SimpleNamespace(id="gw0")
    shutting_down = False

    def __init__(self) -> None:
        self.told: list[int] = []

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.told += numbers

    def shutdown(self) -> None:
        self.shutting_down = True


def test_what_takes_longest_comes_first() -> None:
    chosen = board_choice.choose("MPS2_AN385")
    boards = {
        "FAST": chosen,
        "SLOW": replace(chosen, board=replace(chosen.board, time_scale=10.0)),
        "REAL": replace(chosen, where="/dev/nothing"),
    }
    config = SimpleNamespace(
        stash={FLEET: SimpleNamespace(boards=boards)},
        option=SimpleNamespace(loadscopereorder=True),
        getvalue=lambda _: ["popen"],
    )
    plan = BoardScheduling(cast(Any, config), None)
    node = Node()
    plan.add_node(node)
    plan.add_node_collection(node, NAMES)
    plan.schedule()
    done = 0
    while done < len(node.told):
        plan.mark_test_complete(node, node.told[done])
        done += 1
    scopes = dict.fromkeys(plan._split_scope(NAMES[number]) for number in node.told)
    assert list(scopes) == ORDER
    assert sorted(node.told) == list(range(len(NAMES)))
