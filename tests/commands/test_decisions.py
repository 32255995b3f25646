"""What `decide`, `reasons`, `journal` and `evaluate` print. It is 2026-03-15 12:10."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hailwhale.core.decisions import Assignment
from hailwhale.services.container import Services
from tests.commands.conftest import Run

BY = ("--by-metric", "earned/spent")


@pytest.fixture
def page(run: Run, services: Services) -> Run:
    """A decision of which b earns four times what it costs."""
    services.exposing_now.count_many(
        [
            {
                "pk": "Page",
                "option": option,
                "dimensions": {"country": "US"},
                "metrics": {"spent": 0.5, "earned": earned},
            }
            for option, earned in (("a", 0.1), ("b", 2))
            for _ in range(200)
        ]
    )
    return run


def test_decide_prints_the_option(page: Run) -> None:
    us = ("--dimensions", '{"country": "US"}')

    assert page("decide", "Page", "--options", "['a', 'b']", *us, *BY, "--maximum", "1") in (
        "a\n",
        "b\n",
    )
    assert page("decide", "Page", *BY, "--slots", "2", "--options", "a,b").split() in (
        ["a", "b"],
        ["b", "a"],
    )


def test_reasons_are_a_table_with_the_best_on_top(page: Run) -> None:
    header, first, second = page("reasons", "Page", *BY).splitlines()

    assert header.split() == [
        *("option", "estimate", "low", "high", "best", "loss", "share", "hits", "verdict"),
        "reason",
    ]
    assert first.split()[0] == "b"
    assert first.split()[7:9] == ["200", "good"]
    assert second.split()[0] == "a"


def test_reasons_are_json_as_over_http(page: Run) -> None:
    answer = json.loads(page("reasons", "Page", *BY, "--json"))

    assert set(answer) == {"options", "winner", "sample_ratio"}
    assert answer["options"]["b"]["verdict"] == "good"
    assert answer["winner"] == "b"


@pytest.fixture
def logged(page: Run, services: Services) -> Run:
    """Decisions at random that were logged, with what came of them: b earns 4, a nothing."""
    journal = services.deciding.journal
    for number in range(400):
        option = "ab"[number % 2]
        id = journal.decided(
            ("Page",), ["a", "b"], [0.5, 0.5], [Assignment(option, 0.5)], [("country", "US")]
        )
        journal.counted(("Page",), id, option, {"hits": 1, "spent": 0.5})
        if option == "b":
            journal.counted(("Page",), id, option, {"hits": 0, "earned": 2})
    return page


def test_a_journal_is_lines_of_json(logged: Run) -> None:
    entries = [json.loads(line) for line in logged("journal", "Page").splitlines()]

    assert len(entries) == 1_000
    assert sum("shares" in entry for entry in entries) == 400


def test_rules_are_evaluated_by_the_journal(logged: Run, tmp_path: Path) -> None:
    rules = ("--rules", "logged,uniform,always:a,always:b,best,current")
    text = logged("evaluate", "Page", *BY, *rules)

    assert text.startswith("400 decisions\n")
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in text.splitlines()[3:]}
    assert float(rows["always:b", "snips"][0]) == pytest.approx(4)
    assert float(rows["always:a", "snips"][0]) == 0
    assert float(rows["uniform", "snips"][0]) == pytest.approx(2)
    assert float(rows["best", "dr"][0]) == pytest.approx(4, rel=0.1)
    assert rows["always:b", "ips"][-1] == "200"

    kept = tmp_path / "journal.ndjson"
    kept.write_text(logged("journal", "Page"))
    assert logged("evaluate", "Page", *BY, *rules, "--journal", str(kept)) == text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("evaluate", "Page", *BY), "log=1"),
        (("evaluate", "Page", *BY, "--journal", "/none"), "a readable file"),
        (("decide", "Empty", *BY), "options"),
        (("reasons", "Page", "--by-metric", "earned/"), "by_metric"),
    ],
)
def test_an_unanswerable_question_is_reported(
    run: Run, arguments: tuple[str, ...], complaint: str
) -> None:
    assert complaint in run(*arguments, code=2)
