"""What the threads of a board did, as it has recorded it: for Perfetto, and as a picture."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, PackageLoader

from modthread.report import MAIN

# Prints the recording, and ends it. Many lines at a time: each write may cost a packet.
TAKE = """\
import _thread
lines = []
while event := _thread._trace():
    lines.append(str(event))
    if len(lines) == 20:
        print('\\n'.join(lines))
        lines.clear()
print('\\n'.join(lines))
"""
EVENT = re.compile(r"^\((\d+), (\d+), '(.*)', '(\w+)', '(\w+)', (\d+)\)$", re.MULTILINE)
CLOCK = 1 << 32  # microseconds until the board's clock starts again
STATES = {
    "running": "running",
    "ready": "ready",
    "lock": "waiting for a lock",
    "sleeping": "sleeping",
    "event": "waiting for an event",
    "outside": "in C without the GIL",
}
NEW, RUNNING, FINISHED, EVENT_WAIT = "new", "running", "finished", "event"
LANES_DRAWN, COLUMNS_DRAWN = 32, 2000
GIL_LANE = 1 << 30  # no thread has this identifier; Perfetto takes 0 for the first thread
COLOURS = {  # of Chrome's tracing page; Perfetto takes its own
    "running": "thread_state_running",
    "ready": "thread_state_runnable",
    "lock": "terrible",
    "outside": "thread_state_iowait",
}

templates = Environment(
    loader=PackageLoader("modthread"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True)
class Event:
    """A thread went from one state into another.

    `lock` is the address of the lock that it waits for, or 0.
    """

    us: int
    ident: int
    name: str
    before: str
    state: str
    lock: int


@dataclass(frozen=True)
class Span:
    """A thread was in one state from `start` to `end`, in microseconds."""

    start: int
    end: int
    state: str
    lock: int = 0

    @property
    def text(self) -> str:
        """What the thread did."""
        return f"waiting for lock {self.lock:#x}" if self.lock else STATES[self.state]


@dataclass(frozen=True)
class Lane:
    """A thread and its states one after the other."""

    ident: int
    name: str
    spans: tuple[Span, ...]

    def drawn(self, whole: int) -> list[Span]:
        """Return what a picture of `whole` microseconds can show, rounded to its columns."""
        column = whole / COLUMNS_DRAWN
        rounded = (
            Span(
                round(round(span.start / column) * column),
                round(round(span.end / column) * column),
                span.state,
                span.lock,
            )
            for span in self.spans
        )
        return _joined(span for span in rounded if span.start < span.end)

    def share(self, state: str, whole: int) -> float:
        """Return which part of `whole` microseconds the thread was in a state."""
        return sum(span.end - span.start for span in self.spans if span.state == state) / whole


@dataclass(frozen=True)
class Timeline:
    """The lanes of all threads, the main one first, from 0 to `end`, in microseconds."""

    board: str
    lanes: tuple[Lane, ...]
    end: int

    @property
    def lanes_drawn(self) -> Sequence[Lane]:
        """The lanes that a picture has room for."""
        return self.lanes[:LANES_DRAWN]

    @property
    def ticks(self) -> list[int]:
        """Three to six round times for an axis."""
        step = 1
        for factor in (2, 2.5, 2) * 12:
            if self.end / step <= 5:
                break
            step = int(step * factor)
        return list(range(0, self.end + 1, step))

    @property
    def states(self) -> dict[str, str]:
        """The states that there are, with the words for them."""
        there = {span.state for lane in self.lanes for span in lane.spans}
        return {state: text for state, text in STATES.items() if state in there}

    def chrome(self) -> str:
        """Return the timeline in Chrome's JSON trace format; one lane more is the GIL's."""
        events: list[dict[str, object]] = [_named("process", MAIN, self.board)]
        events.append(_named("thread", GIL_LANE, "GIL"))
        for lane in self.lanes:
            events.append(_named("thread", lane.ident, f"{lane.name} ({lane.ident})"))
            for span in lane.spans:
                events.append(_slice(lane.ident, span.text, span))
                if span.state == RUNNING:
                    events.append(_slice(GIL_LANE, f"{lane.name} ({lane.ident})", span))
        return json.dumps({"displayTimeUnit": "ms", "traceEvents": events})

    def svg(self) -> str:
        """Return the timeline as a picture."""
        return templates.get_template("timeline.svg").render(timeline=self, duration=duration)

    def save(self, path: Path) -> None:
        """Write a picture where the name ends in .svg, else what Perfetto opens."""
        path.write_text(self.svg() if path.suffix == ".svg" else self.chrome())


def timeline(board: str, printed: str) -> Timeline | None:
    """Return the timeline that `board` has printed, None where it has recorded nothing."""
    found = [
        Event(int(us), int(ident), name, before, state, int(lock))
        for us, ident, name, before, state, lock in EVENT.findall(printed)
    ]
    events = _of_the_script(list(_with_time_going_on(found)))
    if len(events) < 2:
        return None
    start, end = events[0].us, events[-1].us
    lanes = (
        _lane(ident, [event for event in events if event.ident == ident], start, end)
        for ident in sorted({event.ident for event in events})
    )
    return Timeline(board, tuple(lane for lane in lanes if lane.spans), end - start)


def duration(us: float) -> str:
    """Return a time as a person reads it."""
    for unit, size in (("s", 1_000_000), ("ms", 1000)):
        if us >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us:g} µs" if us else "0"


def _with_time_going_on(events: Sequence[Event]) -> Iterator[Event]:
    """Yield the events with times that do not start again when the board's clock does."""
    turns, before = 0, 0
    for event in events:
        turns += event.us < before
        before = event.us
        yield replace(event, us=event.us + turns * CLOCK)


def _of_the_script(events: Sequence[Event]) -> Sequence[Event]:
    """Leave out how the main thread reads the script and then the order to print the recording.

    Where other threads have not begun, or have ended, it waits for each part of the text. A
    script begins where it runs for the last time before something else happens, and it ends
    where it waits for the first time after everything else.
    """
    other = [n for n, event in enumerate(events) if not _may_be_reading(event)]
    if not other:
        return []
    first, last = other[0], other[-1]
    while first > 0 and events[first].state != RUNNING:
        first -= 1
    while last < len(events) - 1 and events[last].state != EVENT_WAIT:
        last += 1
    return events[first : last + 1]


def _may_be_reading(event: Event) -> bool:
    return event.ident == MAIN and event.state in (RUNNING, "ready", EVENT_WAIT, "outside")


def _lane(ident: int, events: Sequence[Event], start: int, end: int) -> Lane:
    """Return a thread's lane, from `start` or its own one until it finishes, or the `end`."""
    if events[0].before != NEW:
        events = [replace(events[0], us=start, state=events[0].before, lock=0), *events]
    ends = [*(event.us for event in events[1:]), end]
    spans = _joined(
        Span(event.us - start, us - start, event.state, event.lock)
        for event, us in zip(events, ends, strict=True)
        if event.state != FINISHED and event.us < us
    )
    return Lane(ident, "main" if ident == MAIN else events[0].name, tuple(spans))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans, those in the same state that follow each other as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and (joined[-1].state, joined[-1].lock) == (span.state, span.lock):
            span = Span(joined.pop().start, span.end, span.state, span.lock)
        joined.append(span)
    return joined


def _named(what: str, ident: int, name: str) -> dict[str, object]:
    return {"ph": "M", "name": f"{what}_name", "pid": 1, "tid": ident, "args": {"name": name}}


def _slice(ident: int, name: str, span: Span) -> dict[str, object]:
    slice: dict[str, object] = {"ph": "X", "name": name, "cat": span.state, "pid": 1, "tid": ident}
    if colour := COLOURS.get(span.state):
        slice["cname"] = colour
    return slice | {"ts": span.start, "dur": span.end - span.start}
