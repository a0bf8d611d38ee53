"""Lanes: which tests run at once, which before a push, and which take longer."""

from collections.abc import Callable

import pytest

# In the order in which a test should fail: the quick ones first.
LANES = {
    "check": "needs neither a board nor firmware",
    "test": "what holds on every board, before each push; a test without this mark is here",
    "long": "is long for its own sake; continuous integration runs it",
    "hours": "is for a night",
}
DEFAULT = ("check", "test")
ALL = "all"
MARKER = f"lane(name, *boards): when a test runs, on those boards or on all; {', '.join(LANES)}"


def chosen(text: str) -> tuple[str, ...]:
    """Return the lanes that `text` names, as in ``check,test``; raise UsageError for others."""
    names = tuple(LANES) if text == ALL else tuple(text.split(","))
    for name in names:
        _known(name)
    return names


def lane_of(item: pytest.Item, board: str | None) -> str:
    """Return the lane of a test on the kind of `board`, None for a test that needs no board.

    Marks may be on the test, its file or a parameter. If several apply, the last lane counts.
    """
    marks = (mark.args for mark in item.iter_markers("lane"))
    named = [_known(name) for name, *boards in marks if not boards or board in boards]
    return max(named, key=list(LANES).index, default="test")


def deselect(
    config: pytest.Config, items: list[pytest.Item], board_of: Callable[[pytest.Item], str | None]
) -> None:
    """Leave out of `items` what is in a lane that was not chosen, and was not named either."""
    lanes = chosen(config.getoption("--lane"))
    left_out = [
        item
        for item in items
        if lane_of(item, board_of(item)) not in lanes and not _is_named(config, item)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _known(name: str) -> str:
    if name not in LANES:
        raise pytest.UsageError(f"no lane '{name}'; there are {', '.join(LANES)}, and '{ALL}'")
    return name


def _is_named(config: pytest.Config, item: pytest.Item) -> bool:
    """Return whether the command line names the test itself: then it shall run."""
    for argument in config.args:
        path, separator, name = argument.partition("::")
        names_file = config.invocation_params.dir.joinpath(path).resolve() == item.path
        if separator and names_file and item.nodeid.partition("::")[2].startswith(name):
            return True
    return False
