"""The figures as tables: on the terminal, and in docs/performance.md."""

from math import ceil, log10

from rich import box
from rich.table import Column, Table

from modthread._base import project
from modthread._bench import goals
from modthread._bench.results import Change, Results, Row
from modthread._reports.templates import template
from modthread.errors import ModthreadError

PAGE = project.ROOT / "docs/performance.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
MISSED = "✗"
OTHERS = "upstream"
SINGLE_HEADERS = ("without threads", "ours", "spread", "before", "ratio", OTHERS, "ratio", "goal")
HEADERS = ("with threads", "ours", "spread", OTHERS, "gain", "floor", "goal")


def tables(results: Results) -> list[Table]:
    """Return all figures; those that miss their goal in yellow, broken contracts in red."""
    shown = []
    for headers, rows in _parts(results):
        shown.append(_table(f"{results.board}, modthread {results.version}", headers))
        for name, row in rows.items():
            broken, missed = goals.broken(name, row), goals.missed(name, row)
            style = "red" if broken else "yellow" if missed else ""
            shown[-1].add_row(*_cells(name, row), style=style)
    return shown


def change_table(changes: list[Change]) -> Table:
    """Return the rows that differ from the baseline; regressions in red."""
    shown = _table("Changes since the baseline", ("", "before", "now", "change"))
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


def picture(results: Results) -> str:
    """Return an SVG picture: how many times better our threads are than MicroPython's own."""
    bars = [
        (_label(name, row), row.gain, f"{_known(row.value_upstream)} → {_number(row.value)}")
        for name, row in results.rows.items()
        if row.gain is not None and row.ratio is None
    ]
    decades = max([1, *(ceil(log10(gain)) for _, gain, _ in bars)])
    return template("bench.svg").render(
        board=results.board, bars=bars, decades=decades, log10=log10
    )


def write_page(results: Results) -> None:
    """Put the figures into docs/performance.md, and the picture beside it.

    Raises ModthreadError where their place is gone.
    """
    figures = "\n".join(_markdown(headers, rows) for headers, rows in _parts(results))
    measured = f"`{results.board}`, modthread `{results.version}`:\n\n"
    try:
        before, rest = PAGE.read_text().split(BEGIN)
        _, after = rest.split(END)
    except ValueError:
        raise ModthreadError(f"{PAGE} needs the lines {BEGIN.strip()} and {END.strip()}") from None
    PAGE.write_text(f"{before}{BEGIN}\n{measured}{figures}\n{END}{after}")
    PAGE.with_suffix(".svg").write_text(picture(results))


def _table(title: str, headers: tuple[str, ...]) -> Table:
    # On a narrow terminal the names are wrapped, and no number is cut.
    shown = Table(Column(headers[0]), title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers[1:]:
        shown.add_column(header, justify="right", no_wrap=True)
    return shown


def _parts(results: Results) -> list[tuple[tuple[str, ...], dict[str, Row]]]:
    """Return the rows of programs without threads and those of others, each with its headers."""
    single = {name: row for name, row in results.rows.items() if row.ratio is not None}
    others = {name: row for name, row in results.rows.items() if row.ratio is None}
    return [(SINGLE_HEADERS, single), (HEADERS, others)]


def _markdown(headers: tuple[str, ...], rows: dict[str, Row]) -> str:
    lines = [headers, ("---", *["---:"] * (len(headers) - 1))]
    lines += [_cells(name, row) for name, row in rows.items()]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(name: str, row: Row) -> tuple[str, ...]:
    goal = goals.goal(name, row)
    spread = f"{row.spread:.1%}" if len(row.threads) > 1 else ""
    compared: tuple[str, ...] = (
        _known(row.value_upstream),
        "" if row.gain is None else f"{row.gain:,.1f}",
        _known(row.value_floor),
    )
    if row.ratio is not None:
        ratios = [
            "" if ratio is None else f"{ratio:.3f}" for ratio in (row.ratio, row.ratio_upstream)
        ]
        compared = (_known(row.value_without), ratios[0], _known(row.value_upstream), ratios[1])
    marked = f"{goal} {MISSED}" if goals.missed(name, row) else goal
    return (_label(name, row), _number(row.value), spread, *compared, marked)


def _label(name: str, row: Row) -> str:
    return name if row.unit in ("instructions", "cycles") else f"{name}, {row.unit}"


def _growth(change: Change) -> str:
    if change.growth is None:
        return "new" if change.now else "gone"
    return f"{change.growth:+.1%}"


def _known(value: float | None) -> str:
    return "" if value is None else _number(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == round(value) else f"{value:.1f}"
