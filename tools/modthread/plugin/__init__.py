"""pytest's view of the boards: options, collection, header and fixtures.

Every pytest of the environment imports it, so what takes long to import waits for the first test
that needs it.
"""

import inspect
from argparse import BooleanOptionalAction
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modthread._base import project
from modthread._boards import board_choice, reservation
from modthread._reports import tracebacks
from modthread.device import Device
from modthread.errors import ModthreadError
from modthread.plugin import lanes, xdist_plan
from modthread.plugin.board_item import (
    CHOSEN,
    FLEET,
    TIMEOUT,
    BoardItem,
    DeviceFile,
    note,
    without_traceback,
)
from modthread.plugin.cpython_tests import CPythonTestFile
from modthread.plugin.fleet import Fleet, named
from modthread.plugin.micropython_tests import MicropythonTestFile

pytest_plugins = ["modthread.plugin.xdist_plan"]

MARKERS = (
    "device_timeout(seconds): how long a device test may take, instead of --device-timeout",
    "expect_output(regex): what a device test must print; a thread may then end by an exception",
    "rows(names, values): as parametrize, but one device test tries all; it tells each that fails",
    "boards(name, ...): the boards that a test is for; others do not have what it needs",
    lanes.MARKER,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose boards."""
    group = parser.getgroup("modthread", "tests on boards")
    group.addoption(
        "--board",
        action="append",
        help=f"{board_choice.HELP}; may be repeated; default: those of pyproject.toml",
    )
    group.addoption(
        "--wait",
        type=reservation.seconds,
        default=0,
        help="seconds to wait for a board that is in use",
    )
    group.addoption(
        "--device-timeout",
        type=float,
        default=TIMEOUT,
        help="limit of one test on a board, in seconds; default %(default)s",
    )
    group.addoption(
        "--lane",
        default=",".join(lanes.DEFAULT),
        metavar="NAME[,NAME...]",
        help=f"the lanes to run, of {', '.join(lanes.LANES)}, or {lanes.ALL}; default %(default)s",
    )
    group.addoption(
        "--no-build", action="store_true", help="test the firmware that is there already"
    )
    group.addoption(
        "--flash",
        action=BooleanOptionalAction,
        default=False,
        help="flash boards on ports that run another firmware, or that nothing else brings back",
    )
    group.addoption(
        "--thread-trace",
        action="store_true",
        help="record what threads do: a timeline of each test, for Perfetto and as a picture",
    )
    group.addoption(
        "--report-page", type=Path, metavar="FILE", help="write one HTML page of the whole run"
    )
    group.addoption("--icount", help="an emulator's -icount instead of the board's own; off: none")


def pytest_configure(config: pytest.Config) -> None:
    """Load the chosen boards; nothing is started yet."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    _refuse_a_path_for_a_test(config)
    lanes.chosen(config.getoption("--lane"))  # later, boards would be started before it is refused
    try:
        texts = config.getoption("--board") or board_choice.defaults(config.rootpath)
        config.stash[CHOSEN] = {text: board_choice.choose(text) for text in texts}
        config.stash[FLEET] = Fleet(
            named(config.stash[CHOSEN].values()),
            config.getoption("--icount"),
            not config.getoption("--no-build"),
            config.rootpath / "build" / "logs",
            config.getoption("--wait"),
            config.getoption("--flash"),
            config.getoption("--thread-trace"),
        )
    except ModthreadError as error:
        raise pytest.UsageError(str(error)) from None
    path = config.getoption("--report-page")
    if path and path.is_dir():
        raise pytest.UsageError(f"--report-page={path} is a folder; name a file in it")
    if path and not xdist_plan.is_worker(config):
        from modthread.plugin.run_page import Page

        config.pluginmanager.register(Page(config, path))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the emulators."""
    if FLEET in config.stash:
        config.stash[FLEET].close()


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Read what is in a folder of device tests instead of importing it."""
    folders = project.user_project(parent.config.rootpath).device_tests
    if any(module_path.is_relative_to(folder) for folder in folders):
        return DeviceFile.from_parent(parent, path=module_path)
    return None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take MicroPython's and CPython's own tests from the tables that choose them."""
    if file_path.match("tests/micropython/test_*.toml"):
        return MicropythonTestFile.from_parent(parent, path=file_path)
    if file_path.match("tests/cpython/test_*.toml"):
        return CPythonTestFile.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run host tests that use a board once for each board."""
    if _uses_device(metafunc.definition):
        boards = metafunc.config.stash[FLEET].boards
        mark = metafunc.definition.get_closest_marker("boards")
        chosen = [
            name for name, choice in boards.items() if not mark or choice.board.name in mark.args
        ]
        if mark and not chosen:
            skip = pytest.mark.skip(reason=f"is for {', '.join(mark.args)}")
            metafunc.parametrize("device", [pytest.param(None, marks=skip)], ids=["no board"])
        else:
            metafunc.parametrize("device", chosen, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other lanes than the chosen ones."""
    lanes.deselect(config, items, _kind_of)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Build and start the boards that the tests need, and say what runs on them."""
    if config.option.collectonly or xdist_plan.is_worker(config):
        return []
    fleet = config.stash[FLEET]
    names = dict.fromkeys(name for item in items if (name := _board_of(item)))
    try:
        for name in names:
            fleet.start(name)
    except ModthreadError as error:
        raise pytest.UsageError(str(error)) from None
    return [f"board {name}: {fleet.info(name)}" for name in names]


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    """A board, started and clean, for a host test that drives it itself."""
    fleet = request.config.stash[FLEET]
    with without_traceback():
        device = fleet.device(request.param)
    device.log_to(request.node.nodeid)
    note(request.node, "board", request.param)
    note(request.node, "firmware", fleet.info(request.param))
    note(request.node, "log", tracebacks.shown(device.log.path))
    yield device
    with without_traceback():
        device.clean_up()
    fleet.pause(request.param)


@pytest.fixture
def devices(request: pytest.FixtureRequest) -> Iterator[Callable[..., list[Device]]]:
    """A function that takes kinds of boards and returns as many boards, started and clean.

    For a host test that holds several boards at once; see modthread.several_boards.
    """
    fleet = request.config.stash[FLEET]
    with ExitStack() as held:

        def several(*kinds: str) -> list[Device]:
            with without_traceback():
                return held.enter_context(fleet.several(kinds, request.node.nodeid))

        yield several


def _refuse_a_path_for_a_test(config: pytest.Config) -> None:
    """Refuse ``--board /dev/ttyACM0``: pytest would look for pyproject.toml around that path.

    pytest looks for that file before it knows our options.
    """
    paths = [("--board", text) for text in config.getoption("--board") or []]
    paths.append(("--report-page", str(config.getoption("--report-page") or "")))
    for option, text in paths:
        if text in config.invocation_params.args and Path(text).exists() and not config.inipath:
            raise pytest.UsageError(f"write {option}={text}, or pytest takes it for a test's path")


def _kind_of(item: pytest.Item) -> str | None:
    name = _board_of(item)
    return item.config.stash[FLEET].boards[name].board.name if name else None


def _board_of(item: pytest.Item) -> str | None:
    if isinstance(item, BoardItem):
        return item.board
    if isinstance(item, pytest.Function) and _uses_device(item):
        board = item.callspec.params["device"]
        return None if board is None else str(board)
    return None


def _uses_device(test: pytest.Function) -> bool:
    """Return whether the `device` of a test is ours, or one that extends ours."""
    for fixture in reversed(test._fixtureinfo.name2fixturedefs.get("device", ())):
        if fixture.func is inspect.unwrap(device):
            return True
        if "device" not in fixture.argnames:
            return False
    return False
