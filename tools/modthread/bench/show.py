"""The figures as tables: on the terminal, and in docs/performance.md."""

from rich import box
from rich.table import Column, Table

from modthread import project
from modthread.bench import goals
from modthread.bench.results import Change, Results, Row
from modthread.errors import ModthreadError

PAGE = project.ROOT / "docs/performance.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
MISSED = "✗"
HEADERS = ("instructions", "threads", "spread", "without", "ratio", "goal")


def table(results: Results) -> Table:
    """Return all figures; those that miss their goal in yellow, broken contracts in red."""
    shown = _table(f"{results.board}, modthread {results.version}", HEADERS)
    for name, row in results.rows.items():
        style = "red" if goals.broken(name, row) else "yellow" if goals.missed(name, row) else ""
        shown.add_row(*_cells(name, row), style=style)
    return shown


def change_table(changes: list[Change]) -> Table:
    """Return the rows that differ from the baseline; regressions in red."""
    shown = _table("Changes since the baseline", (HEADERS[0], "before", "now", "change"))
    for change in changes:
        row = change.now or change.before
        assert row is not None
        shown.add_row(
            _label(change.name, row),
            _number(change.before.value) if change.before else "",
            _number(change.now.value) if change.now else "",
            _growth(change),
            style="red" if change.is_regression else "",
        )
    return shown


def write_page(results: Results) -> None:
    """Put the figures into docs/performance.md; raises ModthreadError where their place is gone."""
    lines = [HEADERS, ("---", *["---:"] * (len(HEADERS) - 1))]
    lines += [_cells(name, row) for name, row in results.rows.items()]
    figures = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    measured = f"`{results.board}`, modthread `{results.version}`:\n\n"
    try:
        before, rest = PAGE.read_text().split(BEGIN)
        _, after = rest.split(END)
    except ValueError:
        raise ModthreadError(f"{PAGE} needs the lines {BEGIN.strip()} and {END.strip()}") from None
    PAGE.write_text(f"{before}{BEGIN}\n{measured}{figures}\n{END}{after}")


def _table(title: str, headers: tuple[str, ...]) -> Table:
    shown = Table(
        Column(headers[0], no_wrap=True), title=title, box=box.SIMPLE_HEAD, pad_edge=False
    )
    for header in headers[1:]:
        shown.add_column(header, justify="right", no_wrap=True)
    return shown


def _cells(name: str, row: Row) -> tuple[str, ...]:
    goal = goals.goal(name, row)
    return (
        _label(name, row),
        _number(row.value),
        f"{row.spread:.1%}" if len(row.threads) > 1 else "",
        "" if row.value_without is None else _number(row.value_without),
        "" if row.ratio is None else f"{row.ratio:.3f}",
        f"{goal} {MISSED}" if goals.missed(name, row) else goal,
    )


def _label(name: str, row: Row) -> str:
    return name if row.unit == "instructions" else f"{name}, {row.unit}"


def _growth(change: Change) -> str:
    if change.growth is None:
        return "new" if change.now else "gone"
    return f"{change.growth:+.1%}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == round(value) else f"{value:.1f}"
