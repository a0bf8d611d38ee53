"""The recording of a board's threads: for Perfetto, and as a picture."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from modthread._reports.templates import template
from modthread._reports.tracebacks import MAIN

# Ends the recording; short, for what the main thread does to read it is recorded, too.
END = """\
import _thread
event = _thread._trace()
"""
# Prints it after that. Many lines at a time: each write may cost a packet.
TAKE = """\
lines = []
while event:
    lines.append(str(event))
    event = _thread._trace()
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
    "service": "a service task",
}
NEW, RUNNING, FINISHED, EVENT_WAIT = "new", "running", "finished", "event"
TASK, SERVICE = "task", "service"
IDLE = "IDL"  # FreeRTOS's task for a core that has nothing to do; some ports cut its name short
LANES_DRAWN, COLUMNS_DRAWN = 32, 2000
GIL_LANE = 1 << 30  # no thread has this identifier; Perfetto takes 0 for the first thread
CORE_LANES = GIL_LANE + 1
COLOURS = {  # of Chrome's tracing page; Perfetto takes its own
    "running": "thread_state_running",
    "ready": "thread_state_runnable",
    "lock": "terrible",
    "outside": "thread_state_iowait",
}


@dataclass(frozen=True)
class Event:
    """A thread went from one state into another, or a core from one task to another.

    `of` is the lock that the thread waits for, or the core; `ident` is 0 for a task that is no
    thread.
    """

    us: int
    ident: int
    name: str
    before: str
    state: str
    of: int


@dataclass(frozen=True)
class Span:
    """A thread was in one state from `start` to `end`, in microseconds, or a core ran a task.

    `of` names the lock, or the task.
    """

    start: int
    end: int
    state: str
    of: str = ""

    @property
    def text(self) -> str:
        """What the thread or the core did."""
        if self.of and self.state == "lock":
            return f"waiting for lock {self.of}"
        return self.of or STATES[self.state]


@dataclass(frozen=True)
class Lane:
    """A thread and its states one after the other, or a core and the tasks that it ran."""

    ident: int
    name: str
    spans: tuple[Span, ...]

    @property
    def label(self) -> str:
        """The name, with a thread's identifier."""
        return self.name if self.ident >= CORE_LANES else f"{self.name} ({self.ident})"

    def drawn(self, whole: int) -> list[Span]:
        """Return what a picture of `whole` microseconds can show, rounded to its columns."""
        column = whole / COLUMNS_DRAWN
        rounded = (
            replace(
                span,
                start=round(round(span.start / column) * column),
                end=round(round(span.end / column) * column),
            )
            for span in self.spans
        )
        return _joined(span for span in rounded if span.start < span.end)

    def share(self, state: str, whole: int) -> float:
        """Return which part of `whole` microseconds it was in a state."""
        return sum(span.end - span.start for span in self.spans if span.state == state) / whole


@dataclass(frozen=True)
class Timeline:
    """The lanes of all threads, the main one first, and of the processor's cores.

    From 0 to `end`, in microseconds.
    """

    board: str
    lanes: tuple[Lane, ...]
    cores: tuple[Lane, ...]
    end: int

    @property
    def lanes_drawn(self) -> Sequence[Lane]:
        """The lanes that a picture has room for."""
        return self.lanes[:LANES_DRAWN] + self.cores

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
        there = {span.state for lane in self.lanes + self.cores for span in lane.spans}
        return {state: text for state, text in STATES.items() if state in there}

    def chrome(self) -> str:
        """Return the timeline in Chrome's JSON trace format; one lane more is the GIL's."""
        events: list[dict[str, object]] = [_named("process", MAIN, self.board)]
        events.append(_named("thread", GIL_LANE, "GIL"))
        for lane in self.lanes + self.cores:
            events.append(_named("thread", lane.ident, lane.label))
            events += [_slice(lane.ident, span.text, span) for span in lane.spans]
        for lane in self.lanes:
            running = (span for span in lane.spans if span.state == RUNNING)
            events += [_slice(GIL_LANE, lane.label, span) for span in running]
        return json.dumps({"displayTimeUnit": "ms", "traceEvents": events})

    def svg(self) -> str:
        """Return the timeline as a picture."""
        return template("timeline.svg").render(timeline=self, duration=duration)

    def save(self, path: Path) -> None:
        """Write a picture where the name ends in .svg, else what Perfetto opens."""
        path.write_text(self.svg() if path.suffix == ".svg" else self.chrome())


def timeline(board: str, printed: str) -> Timeline | None:
    """Return the timeline that `board` has printed, None where it has recorded nothing."""
    found = [
        Event(int(us), int(ident), name, before, state, int(of))
        for us, ident, name, before, state, of in EVENT.findall(printed)
    ]
    all_events = list(_with_time_going_on([event for event in found if event.state != TASK]))
    events = _of_the_script(all_events)
    if len(events) < 2:
        return None
    start, end = events[0].us, events[-1].us
    lanes = [
        _lane(ident, [event for event in events if event.ident == ident], start, end)
        for ident in sorted({event.ident for event in events})
    ]
    tasks = list(_with_time_going_on([event for event in found if event.state == TASK]))
    if tasks:  # both have been recorded up to the same moment
        turns = round((all_events[-1].us - tasks[-1].us) / CLOCK)
        tasks = [replace(event, us=event.us + turns * CLOCK) for event in tasks]
    labels = {lane.ident: lane.label for lane in lanes}
    cores = [
        _core(core, [event for event in tasks if event.of == core], labels, start, end)
        for core in sorted({event.of for event in tasks})
    ]
    if len(cores) == 1:
        cores = [replace(cores[0], name="processor")]
    return Timeline(
        board,
        tuple(lane for lane in lanes if lane.spans),
        tuple(core for core in cores if core.spans),
        end - start,
    )


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
    """Leave out how the main thread reads the script, and then the order to print the recording.

    While no other thread has begun, or when all have ended, the main thread waits for each part of
    the text. The script begins at the main thread's last start before something else happens. It
    ends at its first wait after everything else.
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
        events = [replace(events[0], us=start, state=events[0].before, of=0), *events]
    ends = [*(event.us for event in events[1:]), end]
    spans = _joined(
        Span(event.us - start, us - start, event.state, hex(event.of) if event.of else "")
        for event, us in zip(events, ends, strict=True)
        if event.state != FINISHED and event.us < us
    )
    return Lane(ident, "main" if ident == MAIN else events[0].name, tuple(spans))


def _core(
    core: int, events: Sequence[Event], threads: dict[int, str], start: int, end: int
) -> Lane:
    """Return a core's lane between two times, with nothing where it was idle."""
    ends = [*(event.us for event in events[1:]), end]
    spans = _joined(
        Span(
            max(event.us, start) - start,
            min(us, end) - start,
            RUNNING if event.ident else SERVICE,
            threads.get(event.ident, event.name),
        )
        for event, us in zip(events, ends, strict=True)
        if not event.name.startswith(IDLE) and event.us < end and us > start
    )
    return Lane(CORE_LANES + core, f"core {core}", tuple(spans))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans, those in the same state that follow each other as one."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1] == replace(span, start=joined[-1].start, end=span.start):
            span = replace(span, start=joined.pop().start)
        joined.append(span)
    return joined


def _named(what: str, ident: int, name: str) -> dict[str, object]:
    return {"ph": "M", "name": f"{what}_name", "pid": 1, "tid": ident, "args": {"name": name}}


def _slice(ident: int, name: str, span: Span) -> dict[str, object]:
    slice: dict[str, object] = {"ph": "X", "name": name, "cat": span.state, "pid": 1, "tid": ident}
    if colour := COLOURS.get(span.state):
        slice["cname"] = colour
    return slice | {"ts": span.start, "dur": span.end - span.start}
