"""The packages of the host side are floors: each stands on those below it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from modthread._base.project import ROOT

PACKAGE = ROOT / "tools/modthread"
DOORS = ["errors", "several_boards", "cli", "__main__"]  # no floor of their own


def room(path: Path) -> str:
    """Return the package, or the module, that the file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floors() -> list[list[str]]:
    """Return the rows of the table in CONTRIBUTING.md, the lowest floor first."""
    page = (ROOT / "CONTRIBUTING.md").read_text().partition("from the ground up")[2]
    rows = re.findall(r"^\| (`.*?) \|", page.partition("\n## ")[0], re.MULTILINE)
    return [re.findall(r"`(\w+)(?:\.py)?`", row) for row in rows]


def imported(path: Path) -> Iterator[str]:
    """Yield the rooms that a file imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "modthread":
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("modthread."):
            yield str(node.module).split(".")[1]


def test_every_room_is_in_the_table() -> None:
    rooms = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == {*DOORS, *(name for floor in floors() for name in floor)}


def test_each_floor_uses_those_below_it() -> None:
    height = {name: number for number, floor in enumerate(floors()) for name in floor}
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in PACKAGE.rglob("*.py")
        if (own := room(path)) in height
        for name in imported(path)
        if name not in DOORS and height[name] > height[own]
    ]
    assert wrong == []


def test_nobody_imports_the_command_line() -> None:
    wrong = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if room(path) not in ("cli", "__main__") and "cli" in imported(path)
    ]
    assert wrong == []
