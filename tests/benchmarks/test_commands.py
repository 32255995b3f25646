"""The benches run and fill their table; how fast anything is, is not judged in a test."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import load, serving
from benchmarks.__main__ import BENCHES, main
from benchmarks.growth_plot import curves, svg
from benchmarks.measuring import NO_GOAL, Effort, Goal, Row, alternate, number, table
from hailwhale.store.embedded import EmbeddedValkey

HALF = Goal(at_least=0.5)
FAST = Goal(at_most=50, of_figure=True)


def row(figure: float, yardstick: float, goal: Goal) -> Row:
    return Row("work", "ms", [figure], "by hand", [yardstick], goal)


@pytest.mark.parametrize("name", [name for name in BENCHES if name != "graphs"])
def test_a_quick_run_of_each_bench_gives_positive_figures_and_yardsticks(
    name: str,
) -> None:
    rows = BENCHES[name](Effort(quick=True))
    assert rows
    for found in rows:
        assert min(found.figures) > 0, found.work
        assert min(found.yardsticks) > 0, found.work


def test_a_quick_run_of_the_graphs_fills_its_rows() -> None:
    """In a process of its own: the browser tests drive a browser in this one."""
    if shutil.which("chromium") is None:
        pytest.skip("needs Debian's chromium")
    found = subprocess.run(
        [sys.executable, "-m", "benchmarks", "graphs", "--quick"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    works = [line.partition("  ")[0] for line in found.stdout.splitlines()[2:4]]
    assert works == [
        "first graph, from its answer to the screen",
        "10 graphs of 30 lines of 365 days, frame p95",
    ]


def test_the_command_prints_the_table_of_the_benches_it_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["memory", "--quick"]) == 0
    heading, _rule, line, *_notes = capsys.readouterr().out.splitlines()
    assert heading.split("  ")[0] == "work"
    assert line.startswith("memory ")
    assert "bytes a cell" in line
    assert "a key for each" in line


def test_a_run_can_be_kept_as_json_with_all_that_was_measured(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    assert main(["memory", "--quick", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    (memory,) = found["rows"]
    assert (found["quick"], found["comparison"], memory["work"]) == (True, [], "memory")
    assert memory["ratio"] == memory["figures"][0] / memory["yardsticks"][0]
    assert memory["goal"] == "<= 25.0 bytes a cell"


def test_growth_is_drawn_a_curve_a_cost_from_the_fewest_series_on() -> None:
    points = [("count", 10_000, 1.1), ("totals", 10_000, 0.9), ("count", 100_000, 1.6)]
    rows = [
        Row(f"{name} at {series}", "us", [ratio], "1,000 series", [1], HALF, (), (name, series))
        for name, series, ratio in points
    ]
    drawn = curves([row.as_json() for row in (*rows, row(1, 1, HALF))])
    assert drawn == {
        "count": [(1_000, 1.0), (10_000, 1.1), (100_000, 1.6)],
        "totals": [(1_000, 1.0), (10_000, 0.9)],
    }
    picture = ElementTree.fromstring(svg(drawn))  # noqa: S314 - we have just made it
    texts = ["".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1,000", "10,000", "100,000", "count", "totals", "1.2"} <= set(texts)


def test_an_unknown_bench_is_refused_with_the_names_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "no bench 'nonsense'; there are accept, drain" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("figure", "yardstick", "goal", "met", "text"),
    [
        (60, 100, HALF, "yes", ">= 0.50 x"),
        (50, 100, HALF, "yes", ">= 0.50 x"),
        (49, 100, HALF, "no", ">= 0.50 x"),
        (300, 100, Goal(at_most=3), "yes", "<= 3.00 x"),
        (301, 100, Goal(at_most=3), "no", "<= 3.00 x"),
        (50, 1, FAST, "yes", "<= 50.0 ms"),
        (51, 1_000, FAST, "no", "<= 50.0 ms"),
        (51, 1, NO_GOAL, "-", "none set"),
    ],
)
def test_a_row_says_whether_its_goal_is_met(
    figure: float, yardstick: float, goal: Goal, met: str, text: str
) -> None:
    assert row(figure, yardstick, goal).cells()[-2:] == (text, met)


def test_a_row_shows_medians_and_the_spread_of_the_rounds_own_ratios() -> None:
    found = Row("work", "req/s", [40, 50, 90], "constant GIF", [100, 100, 100], HALF)
    assert found.cells()[:4] == ("work", "50.0 req/s", "100 constant GIF", "0.50 x (0.40 to 0.90)")


def test_rounds_of_work_and_yardstick_alternate_after_one_of_both_to_warm_up() -> None:
    done: list[str] = []

    def logged(name: str) -> Callable[[], int]:
        def work() -> int:
            done.append(name)
            return len(done)

        return work

    assert alternate(2, logged("A"), logged("B")) == ([3, 5], [4, 6])
    assert done == ["A", "B", "A", "B", "A", "B"]


def test_the_table_is_aligned_and_has_its_notes_below() -> None:
    found = Row("work", "ms", [1], "by hand", [2], NO_GOAL, ["said besides"])
    assert table([found]).splitlines() == [
        "work  figure   yardstick     ratio (spread)         goal      met",
        "----  -------  ------------  ---------------------  --------  ---",
        "work  1.00 ms  2.00 by hand  0.50 x (0.50 to 0.50)  none set  -",
        "",
        "work: said besides",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(123_456.7, "123,457"), (100, "100"), (12.34, "12.3"), (1.234, "1.23"), (0.0456, "0.046")],
)
def test_numbers_are_shown_with_the_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_without_the_usual_tools_a_stand_in_makes_the_load(
    monkeypatch: pytest.MonkeyPatch, valkey: EmbeddedValkey
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert (load.http_tool(), load.increment_tool()) == (load.STAND_IN, load.STAND_IN)
    assert load.increments_per_s(valkey.url, 10_000) > 0
    with serving.web_server(serving.BARE, valkey.url, "/count") as server:
        served = load.http_load(server.port, ["/count?pk=Shop"], seconds=1)
    assert served.requests > 0


def test_an_answer_that_is_no_success_ends_a_bench(valkey: EmbeddedValkey) -> None:
    with (
        serving.web_server(serving.BARE, valkey.url, "/count") as server,
        pytest.raises(RuntimeError, match=r"Non-2xx|not 200"),
    ):
        load.http_load(server.port, ["/nowhere"], seconds=1)
