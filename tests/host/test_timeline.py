"""The recording of threads: ports/qemu and ports/rp2 with MODTHREAD_TRACE."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from modthread._boards import board_choice, boards
from modthread._firmware import build
from modthread._reports.timeline import CORE_LANES, GIL_LANE, Lane, Span, Timeline, timeline
from modthread.device import Device

LIMIT = 100.0  # seconds for a script, on a board of the slowest kind
TICK = 1000  # microseconds; a sleep ends with one, and time.ticks_ms() counts them
SLICE = 5000  # of a thread that computes beside another one
SLACK = 200  # for what happens between two statements

# The first thread has the lock for 30 ms, the main one asks for it after 10 and then computes
# for 40, beside the first one in the end.
SCRIPT = """\
import _thread, time
lock = _thread.allocate_lock()
def busy(ms):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        pass
def hold():
    with lock:
        time.sleep_ms(30)
    busy(25)
_thread.start_new_thread(hold, ())
time.sleep_ms(10)
with lock:
    busy(40)
time.sleep_ms(5)
"""
# Each round has six changes of state or more; the lock of `block` is never free.
ROUNDS = 1000
WRAPPING = f"""\
import _thread, time
never, ended = _thread.allocate_lock(), _thread.allocate_lock()
class Blocked:
    def block(self):
        never.acquire()
def play(mine, other):
    for _ in range({ROUNDS}):
        mine.acquire()
        other.release()
    if ended.locked():
        ended.release()
never.acquire(), ended.acquire()
_thread.start_new_thread(Blocked().block, ())
one, two = _thread.allocate_lock(), _thread.allocate_lock()
two.acquire()
_thread.start_new_thread(play, (one, two))
_thread.start_new_thread(lambda: play(two, one), ())
ended.acquire()
"""


BOARDS = [
    # The others need one more firmware each.
    pytest.param(name, marks=[] if name == boards.DEFAULT else pytest.mark.lane("hours"))
    for name in boards.names()
    if boards.load(name).emulator
]


@pytest.fixture(scope="module", params=BOARDS)
def traced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Device]:
    """A board whose firmware records its threads."""
    board = replace(boards.load(request.param), traced=True)
    assert board.emulator
    if board.name not in board_choice.emulated():
        pytest.skip("MicroPython lacks submodules for it")
    build.firmware(board)
    logs = tmp_path_factory.mktemp("logs")
    with closing(Device(board, icount=board.emulator.test_icount, logs=logs)) as device:
        device.start()
        yield device


def recorded(device: Device, script: str) -> Timeline:
    """Run a script and return what was recorded."""
    device.clean_up()
    result = device.run(script, LIMIT)
    assert result.error == b""
    found = device.timeline()
    assert found
    assert_consistent(found)
    return found


def assert_consistent(found: Timeline) -> None:
    """Each lane's states follow each other without a gap, and no two threads ever run at once."""
    for lane in found.lanes:
        assert all(span.start < span.end for span in lane.spans)
        assert all(one.end == next_one.start for one, next_one in pairwise(lane.spans))
        assert lane.spans[0].start >= 0
        assert lane.spans[-1].end <= found.end
    running = sorted(
        (span.start, span.end)
        for lane in found.lanes
        for span in lane.spans
        if span.state == "running"
    )
    assert all(one[1] <= next_one[0] for one, next_one in pairwise(running))


def states(lane: Lane, state: str) -> list[Span]:
    """Return the spans of this state."""
    return [span for span in lane.spans if span.state == state]


def overlap(one: Span, other: Span) -> int:
    """Return for how long both last at the same time."""
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def lasts(sleep_ms: int, start: int, end: int) -> bool:
    """Return whether this is a sleep of so long. It has read the clock right before `start`."""
    return sleep_ms * 1000 - SLACK <= end - start <= sleep_ms * 1000 + 2 * TICK


def clipped(lane: Lane, start: int, end: int) -> Lane:
    """Return what of a lane lies between two times."""
    spans = (
        replace(span, start=max(span.start, start), end=min(span.end, end)) for span in lane.spans
    )
    return replace(lane, spans=tuple(span for span in spans if span.start < span.end))


@pytest.mark.lane("long")
def test_lock_and_sleep_are_where_the_script_has_them(traced: Device) -> None:
    found = recorded(traced, SCRIPT)
    main, hold = found.lanes
    assert (main.ident, main.name, hold.name) == (1, "main", "hold")
    [waits], sleeps = states(main, "lock"), states(hold, "sleeping")
    assert int(waits.of, 16) != 0
    assert lasts(30, sleeps[0].start, sleeps[-1].end)
    assert lasts(10, states(main, "sleeping")[0].start, waits.start)
    # The lock is handed over while its owner runs, right after the sleep.
    assert 0 <= waits.end - sleeps[-1].end <= SLACK
    # Both compute for 25 ms, where one of them is always running and the other one ready.
    start, end = waits.end, hold.spans[-1].end
    lanes = [clipped(lane, start, end) for lane in (main, hold)]
    assert {span.state for lane in lanes for span in lane.spans} == {"running", "ready"}
    for state in ("running", "ready"):
        assert sum(lane.share(state, end - start) for lane in lanes) == pytest.approx(1, abs=0.01)
    assert 25_000 - TICK <= end - sleeps[-1].end <= 25_000 + SLICE + TICK
    # Then the main one goes on alone. Before all that it has only started the other one.
    # After its last sleep it takes the script that ends the recording, as the host sends it.
    *_, last = states(main, "sleeping")
    before = [one for one in states(main, "running") if one.end <= last.start]
    _, *computing = [one for one in before if one.end - one.start > SLACK]
    assert 40_000 - TICK <= computing[-1].end - computing[0].start <= 40_000 + TICK
    assert computing[-1].start <= end + SLACK
    assert lasts(5, computing[-1].end, last.end)
    # The processor runs a thread's task where the thread runs.
    [processor] = found.cores
    for lane in (main, hold):
        tasks = [span for span in processor.spans if span.of == lane.label]
        runs = states(lane, "running")
        both = sum(overlap(task, run) for task in tasks for run in runs)
        assert both == pytest.approx(sum(span.end - span.start for span in tasks), rel=0.03)
        assert both == pytest.approx(sum(span.end - span.start for span in runs), rel=0.15)


@pytest.mark.lane("long")
def test_ring_keeps_the_end(traced: Device) -> None:
    found = recorded(traced, WRAPPING)
    lanes = {lane.name: lane for lane in found.lanes}
    assert [lane.name for lane in found.lanes] == ["main", "block", "play", "<lambda>"]
    for lane in found.lanes:
        assert lane.spans[0].start == 0
    assert {span.state for span in lanes["block"].spans} == {"lock"}
    assert lanes["block"].spans[-1].end == found.end
    switches = sum(len(lane.spans) for lane in found.lanes)
    assert 500 < switches <= 1024 + 4


@pytest.mark.lane("long")
def test_firmware_says_that_it_is_another_one(traced: Device) -> None:
    traced.clean_up()
    assert f"modthread {build.version()}-trace, " in traced.info()


@pytest.mark.lane("long")
def test_soft_reset_forgets(traced: Device) -> None:
    traced.clean_up()
    traced.run(SCRIPT, LIMIT)
    traced.clean_up()
    assert traced.run("print(1)", LIMIT).output == b"1\r\n"
    assert traced.timeline() is None


EVENTS = """\
(4294967000, 1, '', 'event', 'running', 0)
(4294967100, 7, 'work', 'new', 'ready', 0)
(4294967200, 1, '', 'running', 'lock', 4096)
(4294967200, 7, 'work', 'ready', 'running', 0)
(104, 1, '', 'lock', 'ready', 0)
(204, 7, 'work', 'running', 'finished', 0)
(204, 1, '', 'ready', 'running', 0)
(304, 1, '', 'running', 'event', 0)
(4294967100, 1, 'main', 'new', 'task', 0)
(4294967205, 7, 'py', 'new', 'task', 0)
(104, 0, 'usb', 'new', 'task', 0)
(154, 7, 'py', 'new', 'task', 0)
(204, 1, 'main', 'new', 'task', 0)
(310, 0, 'IDLE', 'new', 'task', 0)
"""


def test_clock_may_start_again() -> None:
    found = timeline("B", EVENTS)
    assert found == Timeline(
        "B",
        (
            Lane(
                1,
                "main",
                (
                    Span(0, 200, "running"),
                    Span(200, 400, "lock", "0x1000"),
                    Span(400, 500, "ready"),
                    Span(500, 600, "running"),
                ),
            ),
            Lane(7, "work", (Span(100, 200, "ready"), Span(200, 500, "running"))),
        ),
        (
            Lane(
                CORE_LANES,
                "processor",
                (
                    Span(100, 205, "running", "main (1)"),
                    Span(205, 400, "running", "work (7)"),
                    Span(400, 450, "service", "usb"),
                    Span(450, 500, "running", "work (7)"),
                    Span(500, 600, "running", "main (1)"),
                ),
            ),
        ),
        600,
    )


def test_chrome_gets_all_of_it() -> None:
    found = timeline("B", EVENTS)
    assert found
    events = json.loads(found.chrome())["traceEvents"]
    names = {
        event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"
    }
    assert names == {GIL_LANE: "GIL", 1: "main (1)", 7: "work (7)", CORE_LANES: "processor"}
    slices = [
        (one["tid"], one["ts"], one["dur"], one["name"]) for one in events if one["ph"] == "X"
    ]
    assert sorted(slices) == [
        (1, 0, 200, "running"),
        (1, 200, 200, "waiting for lock 0x1000"),
        (1, 400, 100, "ready"),
        (1, 500, 100, "running"),
        (7, 100, 100, "ready"),
        (7, 200, 300, "running"),
        (GIL_LANE, 0, 200, "main (1)"),
        (GIL_LANE, 200, 300, "work (7)"),
        (GIL_LANE, 500, 100, "main (1)"),
        (CORE_LANES, 100, 105, "main (1)"),
        (CORE_LANES, 205, 195, "work (7)"),
        (CORE_LANES, 400, 50, "usb"),
        (CORE_LANES, 450, 50, "work (7)"),
        (CORE_LANES, 500, 100, "main (1)"),
    ]


def test_picture_has_a_lane_for_each_thread() -> None:
    found = timeline("B", EVENTS.replace("work", "<work>"))
    assert found
    picture = ET.fromstring(found.svg())
    titles = [str(title.text) for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0] == "main (1): running, 200 µs from 0"
    assert "<work> (7): running, 300 µs from 200 µs" in titles
    assert titles[-1] == "processor: main (1), 100 µs from 500 µs"
    assert len(titles) == 6 + 5


def test_picture_of_minutes_is_as_wide_as_it_should_be() -> None:
    """In parts of the width: browsers draw nothing beyond 2^25 pixels, before any scaling."""
    minutes = (Span(0, 150_000_000, "lock", "0x1000"), Span(150_000_000, 200_000_000, "running"))
    picture = Timeline("B", (Lane(1, "main", minutes),), (), 200_000_000).svg()
    bars = [
        bar for bar in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}rect") if len(bar)
    ]
    assert [(bar.get("x"), bar.get("width")) for bar in bars] == [("0%", "75%"), ("75%", "25%")]


@pytest.mark.lane("long")
def test_run_writes_what_the_suffix_says(tmp_path: Path) -> None:
    build.firmware(replace(boards.load(boards.DEFAULT), traced=True))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    for name in ("t.json", "t.svg"):
        command = [sys.executable, "-m", "modthread", "run", "--no-build", "--trace"]
        command += [str(tmp_path / name), str(script)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert (result.returncode, result.stderr) == (0, "")
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert {"hold (2)", "sleeping", "running"} <= {event["name"] for event in events}
    assert "hold (2): sleeping" in (tmp_path / "t.svg").read_text()
