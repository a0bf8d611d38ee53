"""The command `bench`: measure, show, keep, and compare."""

from pathlib import Path

from rich.console import Console

from modthread._base import project
from modthread._bench import goals, show
from modthread._bench.measure import SCRIPTS, measure
from modthread._bench.results import Results, changes
from modthread._boards.boards import Board
from modthread._commands import run

EXIT_BROKEN = 1


def bench(board: Board, baseline: Path | None, page: bool) -> int:
    """Measure `board`, print the figures and write bench.json and bench.svg in build/BOARD.

    With `baseline` also print what has changed since that file. With `page` also write
    docs/performance.md and the baseline for the tests. Return the exit status: 1 if the contract
    for single-threaded code is broken, or a figure is worse than the baseline's. Blocks for
    minutes; raises ModthreadError.
    """
    before = Results.load(baseline) if baseline else None
    results = measure(board)
    path = project.BUILD / board.name / "bench.json"
    results.save(path)
    path.with_suffix(".svg").write_text(show.picture(results))
    if page:
        show.write_page(results)
        results.save(baseline_of(board))
    Console().print(*show.tables(results))
    complaints = broken_contracts(results)
    if before:
        complaints += regressions(before, results)
    for complaint in complaints:
        run.print_error(complaint)
    print(f"All runs are in {path}, a picture beside it")
    return EXIT_BROKEN if complaints else 0


def baseline_of(board: Board) -> Path:
    """Return the file of the repository with what the tests hold the board to."""
    return SCRIPTS / f"{board.name}.json"


def broken_contracts(results: Results) -> list[str]:
    """Return what breaks the contract, one line each."""
    broken = (goals.broken(name, row) for name, row in results.rows.items())
    return [line for line in broken if line]


def regressions(before: Results, results: Results) -> list[str]:
    """Print what changed since `before`, and return what became worse, one line each."""
    changed = changes(before, results)
    if changed:
        Console().print(show.change_table(changed))
    else:
        print("Nothing has changed since the baseline.")
    return [f"{one.name}: worse than the baseline" for one in changed if one.is_regression]
