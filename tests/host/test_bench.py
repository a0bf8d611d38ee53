"""The benchmarks: what they hold the firmware to, and what they say of results."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from modthread._bench import command, goals, measure, show
from modthread._bench.measure import Bench
from modthread._bench.results import Results, Row, changes
from modthread._boards.boards import Board, EmulatorConfig
from modthread._link.line import TimeLimitError
from modthread.device import Device
from modthread.errors import ModthreadError


def results(board: str = "B", **rows: Row) -> Results:
    return Results(board, "0.1.0", rows)


def single(threads: float, unit: str = "instructions") -> Row:
    return Row(unit, [threads], [100.0])


@pytest.fixture
def bench(device: Device) -> Bench:
    if device.emulator is None:
        pytest.skip("counts the instructions of a board that is emulated")
    return Bench(device.board, *measure.with_other_threads(device.board), runs=1)


@pytest.mark.lane("long")
@pytest.mark.boards("MPS2_AN385")  # QEMU counts instructions
def test_figures_are_as_good_as_the_baseline(bench: Bench) -> None:
    single = bench.single_threaded()
    assert [row.unit for row in single.values()] == ["instructions"] * 7 + ["calls"]
    programs = bench.programs()
    assert [row.unit for row in programs.values()] == ["instructions"] * 24 + ["times"]
    threaded = bench.threaded() | bench.busy() | measure.sizes(bench.board)
    assert set(goals.GOALS) <= set(threaded)
    now = Results(bench.board.name, "now", single | programs | threaded)
    assert all(row.value > 0 for row in now.rows.values())
    beside = {name for name, row in now.rows.items() if row.upstream}
    assert {"hand-over of a lock", "start and wait, 4 KiB stack"} <= beside
    assert [name for name, row in now.rows.items() if row.floor] == [
        "acquire() + release()",
        "hand-over of a lock",
        "start and wait, 4 KiB stack",
    ]
    assert command.broken_contracts(now) == []
    before = Results.load(command.baseline_of(bench.board))
    assert command.regressions(before, now) == []


@pytest.mark.lane("long")
@pytest.mark.boards("MPS2_AN385")
def test_names_have_the_same_numbers_without_threads(bench: Bench) -> None:
    ours, without = (
        (board.directory / "genhdr/qstrdefs.generated.h").read_text()
        for board in (bench.board, bench.without)
    )
    assert "MP_QSTR_start_new_thread" in ours
    assert ours == without


def test_upstream_may_have_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads let each other wait for ever, now and then: ours are measured all the same."""
    ours, theirs = Board("OURS", "ours"), Board("THEIRS", "upstream")
    shown: list[str] = []

    def rows(_: Bench, board: Board, script: str, run: object = None) -> dict[str, Row]:
        if board is theirs:
            raise TimeLimitError("the board did not answer in time")
        return {script: Row("us", [7.0])}

    monkeypatch.setattr(Bench, "_rows", rows)
    figures = Bench(ours, ours, theirs, show=shown.append).busy()
    assert [(row.threads, row.upstream) for row in figures.values()] == [([7.0], None)] * 2
    assert shown[0] == "busy.py does not end on THEIRS: it has no figures"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (single(102), None),
        (single(102.1), "x: 1.021 times what it takes without threads, at most 1.02"),
        (single(100, "calls"), None),
        (single(99, "calls"), "x: 99, but 100 without threads"),
        (Row("bytes", [1e9]), None),
    ],
)
def test_what_breaks_the_contract(row: Row, complaint: str | None) -> None:
    assert command.broken_contracts(results(x=row)) == ([complaint] if complaint else [])


def test_programs_are_held_to_the_contract_together() -> None:
    rows = {"bm_one.py": single(103), goals.PROGRAMS_MEAN: Row("times", [1.03], [1.0])}
    (complaint,) = command.broken_contracts(Results("B", "0.1.0", rows))
    assert complaint.startswith("geometric mean of these: 1.030 times")


@pytest.mark.parametrize(
    ("name", "row", "missed"),
    [
        ("x", single(101), False),
        ("x", single(101.1), True),
        ("with lock", Row("instructions", [650]), False),
        ("with lock", Row("instructions", [651]), True),
        ("without a goal", Row("instructions", [1e9]), False),
    ],
)
def test_what_misses_a_goal(name: str, row: Row, missed: bool) -> None:
    assert goals.missed(name, row) == missed


@pytest.mark.parametrize(
    ("unit", "now", "worse"),
    [
        ("instructions", 102.9, False),
        ("instructions", 103.1, True),
        ("instructions", 50, False),
        ("calls", 96, True),
        ("calls", 104, False),
        ("us", 200, False),
        ("us", 201, True),
    ],
)
def test_regression_is_worse_by_more_than_three_percent(unit: str, now: float, worse: bool) -> None:
    (change,) = changes(results(x=Row(unit, [100])), results(x=Row(unit, [now])))
    assert change.is_regression == worse


def test_a_regression_is_worse_than_the_worst_run() -> None:
    before = results(x=Row("instructions", [100, 104]))
    assert not changes(before, results(x=Row("instructions", [107])))[0].is_regression
    assert changes(before, results(x=Row("instructions", [107.2])))[0].is_regression


def test_a_regression_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    before = results(slower=Row("bytes", [100]), same=Row("bytes", [7]), gone=Row("bytes", [1]))
    now = results(slower=Row("bytes", [110]), same=Row("bytes", [7]), new=Row("bytes", [1]))
    assert command.regressions(before, now) == [
        "slower: worse than the baseline",
        "gone: worse than the baseline",
    ]
    shown = capsys.readouterr().out
    assert "+10.0%" in shown
    assert "same" not in shown


def test_no_change_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    one = results(x=Row("bytes", [1]))
    assert command.regressions(one, one) == []
    assert capsys.readouterr().out == "Nothing has changed since the baseline.\n"


def test_another_boards_baseline_is_refused() -> None:
    with pytest.raises(ModthreadError, match="the baseline is of A; name one of B"):
        changes(results("A"), results("B"))


def test_results_are_read_as_they_were_saved(tmp_path: Path) -> None:
    saved = results(x=Row("instructions", [3.0, 1.0, 2.0], [2.0, 2.0]), y=Row("bytes", [16]))
    saved.save(tmp_path / "bench.json")
    loaded = Results.load(tmp_path / "bench.json")
    assert loaded == saved
    assert loaded.rows["x"].value == 2.0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": {"x": {"unit": "bytes"}}}'])
def test_what_is_no_baseline_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ModthreadError, match=r"x\.json is not a bench\.json"):
        Results.load(path)


def test_a_missing_baseline_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModthreadError, match="No such file or directory; name one of"):
        Results.load(tmp_path / "x.json")


@pytest.mark.parametrize("icount", [None, "off", "shift=auto"])
def test_a_board_that_counts_nothing_is_refused(icount: str | None) -> None:
    emulator = EmulatorConfig((), "", icount) if icount else None
    with pytest.raises(ModthreadError, match="B: nothing counts its instructions"):
        measure.measure(Board("B", "", emulator=emulator))


def test_the_page_shows_every_goal() -> None:
    page = show.PAGE.read_text()
    for name, most in goals.GOALS.items():
        assert any(
            line.startswith(f"| {name}") and f"≤ {most:,}" in line for line in page.splitlines()
        )


def test_the_page_keeps_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{show.BEGIN}old figures\n{show.END}after\n")
    monkeypatch.setattr(show, "PAGE", page)
    show.write_page(results(x=single(101)))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old figures" not in text
    assert "| x | 101 |  | 100 | 1.010 |  |  | ≤ 1.01 |\n" in text


def test_the_picture_shows_how_many_times_better_threads_are() -> None:
    row = Row("instructions", [10], upstream=[1234])
    picture = show.picture(Results("B", "0.1.0", {"a & b": row}))
    assert "a &amp; b" in picture
    assert "1,234 → 10" in picture
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_a_page_without_its_marks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    page.write_text("text\n")
    monkeypatch.setattr(show, "PAGE", page)
    with pytest.raises(ModthreadError, match="needs the lines"):
        show.write_page(results())
