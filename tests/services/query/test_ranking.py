"""/rank on a real store against a plain loop over the events; and what a ranking reads."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from hailwhale.core.events.literals import parse_literal
from hailwhale.core.events.paths import Path, written
from hailwhale.core.query.parameters import parse_children, parse_plot, parse_rank, parse_totals
from hailwhale.errors import BadInput
from hailwhale.services.container import Services, assemble
from hailwhale.services.json_shapes import ranking_json, totals_json
from hailwhale.services.query import children
from hailwhale.store.protocol import CellStore
from hailwhale.store.types import CellQuery
from hailwhale.types import RankRow
from tests.conftest import NOW_S, Clock
from tests.parts import with_parts
from tests.services.query.plain_children import (
    ZERO,
    Counted,
    Node,
    Plain,
    descendants,
    held,
    order,
    standing,
)
from tests.services.reading import Sent

DAY_S = 86_400
DOLLARS, HITS = Plain("dollars"), Plain("hits")
RATE, COST = Plain("dollars", "hits"), Plain("cost", "sales")
PK: Path = ("Shop",)


def stream(seed: int, events: int = 150) -> list[Sent]:
    """Events of a month and more: nested paths, some of them several in one event; signs mixed."""
    chance = random.Random(seed)

    def amount() -> Decimal:
        return Decimal(chance.randrange(-300, 900)) / chance.choice([1, 8, 100])

    def path() -> Path:
        return tuple(chance.choice("abc") for _ in range(chance.randint(1, 3)))

    return [
        Sent(
            ("Shop", *(chance.choice("xyz") for _ in range(chance.randint(0, 2)))),
            tuple(path() for _ in range(chance.randint(0, 2))),
            NOW_S - chance.randrange(45) * DAY_S,
            {name: amount() for name in ("dollars", "cost", "sales") if chance.random() < 0.6},
        )
        for _ in range(events)
    ]


def counted(services: Services, seed: int) -> list[Sent]:
    events = stream(seed)
    report = services.counting.count_many_now([event.fields for event in events])
    assert report.accepted == len(events)
    return events


def asked(services: Services, **fields: object) -> list[RankRow]:
    question = parse_rank({"pk": "Shop", "period": "1d:1mo", **fields})
    return ranking_json(services.ranking.rank(question))


def expected(
    known: Counted,
    formula: Plain,
    roots: list[Node],
    *,
    sort: Plain,
    by: str = "value",
    descending: bool = True,
    depth: int = 1,
    threshold: Fraction = ZERO,
    limit: int = 10,
    of_pks: bool = False,
) -> list[tuple[Node, dict[str, Fraction | None]]]:
    """The rows there should be, in their order."""

    def kept(parent: Node, child: Node) -> bool:
        part, whole = known.weight(formula, child), known.weight(formula, parent)
        return held(part, whole) >= threshold

    pairs = descendants(known, roots, depth, of_pks, kept)
    pairs = [(parent, child) for parent, child in pairs if known.weight(formula, child)]

    def place(pair: tuple[Node, Node]) -> tuple[tuple[bool, Fraction], Node]:
        return order(standing(known, sort, *pair)[by], descending=descending), pair[1]

    pairs.sort(key=place)
    return [
        (child, standing(known, formula, parent, child))
        for parent, child in pairs[: limit or len(pairs)]
    ]


def assert_rows(
    answer: list[RankRow],
    rows: list[tuple[Node, dict[str, Fraction | None]]],
    *,
    of_pks: bool = False,
) -> None:
    """The rows are those, numbers exact or right to 15 digits."""
    name = "pk" if of_pks else "dimension"
    found: list[dict[str, Any]] = [dict(row) for row in answer]
    assert [row[name] for row in found] == [written(node[0 if of_pks else 1]) for node, _ in rows]
    for row, (_, numbers) in zip(found, rows, strict=True):
        for column, number in numbers.items():
            got = row[column]
            if number is None or got is None:
                assert (got, number) == (None, None), column
            else:
                error = abs(Fraction(str(got)) - number)
                assert error <= abs(number) / 10**15 + Fraction(1, 10**30), (column, row, number)


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"limit": 0},
    {"limit": 2, "depth": 2},
    {"limit": 0, "depth": 3},
    {"limit": 5, "depth": 3, "threshold": Fraction(3, 10)},
    {"limit": 0, "threshold": Fraction(1, 2)},
    {"limit": 3, "descending": False},
    {"limit": 4, "by": "share", "depth": 2},
    {"limit": 4, "by": "difference", "depth": 2, "descending": False},
    {"limit": 4, "by": "relative", "depth": 3},
    {"limit": 0, "by": "importance", "depth": 2},
    {"limit": 3, "by": "importance", "sort": HITS, "depth": 2},
    {"limit": 3, "sort": COST},
]


@pytest.mark.parametrize("formula", [DOLLARS, HITS, RATE, COST], ids=lambda formula: formula.text)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_ranking_of_dimensions_is_that_of_a_plain_loop(
    services: Services, seed: int, formula: Plain
) -> None:
    known = Counted.of(counted(services, seed), "1d:1mo")
    for question in QUESTIONS:
        for roots in ([()], [("a",)], [("a",), ("b",), ("a", "b")]):
            sort = question.get("sort", formula)
            rule = {**question, "sort": sort}
            answer = asked(services, **in_words(formula, rule), dimensions=[*map(list, roots)])
            nodes: list[Node] = [(PK, root) for root in roots]
            assert_rows(answer, expected(known, formula, nodes, **rule))


@pytest.mark.parametrize("formula", [DOLLARS, RATE], ids=lambda formula: formula.text)
@pytest.mark.parametrize("dimension", [(), ("a",), ("b", "c")], ids=written)
def test_a_ranking_of_pks_is_that_of_a_plain_loop(
    services: Services, formula: Plain, dimension: Path
) -> None:
    known = Counted.of(counted(services, 3), "1d:1mo")
    for question in QUESTIONS:
        rule = {**question, "sort": question.get("sort", formula), "of_pks": True}
        words = in_words(formula, rule)
        answer = asked(services, of="pks", dimension=list(dimension) or "_", **words)
        rows = expected(known, formula, [(PK, dimension)], **rule)
        assert_rows(answer, rows, of_pks=True)


def in_words(formula: Plain, rule: dict[str, Any]) -> dict[str, object]:
    """A rule as the parameters of a question."""
    sign = "-" if rule.get("descending", True) else ""
    words: dict[str, object] = {"metrics": formula.text, "sort": f"{sign}{rule['sort'].text}"}
    words |= {name: rule[name] for name in ("limit", "depth", "by") if name in rule}
    if "threshold" in rule:
        words["threshold"] = float(rule["threshold"])
    return words


def test_every_metric_asked_for_is_shown_and_the_first_has_the_numbers(services: Services) -> None:
    counted(services, 1)
    metrics = ["dollars/hits", "hits", "cost:last", "sales - cost"]
    for limit in (2, 0):
        rows = asked(services, metrics=metrics, sort="-hits", limit=limit, depth=2)
        assert len(rows) >= 2
        for row in rows:
            assert list(row["metrics"]) == metrics
            assert row["metrics"]["dollars/hits"] == row["value"]
            question = {"pk": "Shop", "metrics": metrics, "period": "1d:1mo"}
            assert row["metrics"] == totals_at(services, row["dimension"], question)


def totals_at(services: Services, dimension: str, question: Mapping[str, object]) -> object:
    """The metrics of one dimension as /totals has them."""
    asked_for = {**question, "dimensions": parse_literal(dimension, "dimensions")}
    answer = totals_json(services.reporting.totals(parse_totals(asked_for)))
    [[found]] = [list(each.values()) for each in answer.values()]
    return found


def test_what_nothing_was_counted_of_in_the_period_is_not_ranked(services: Services) -> None:
    for label, ago, metrics in (
        ("old", 60, {"dollars": 9}),
        ("free", 1, {"dollars": 0}),
        ("quiet", 1, {"dollars": 5, "hits": 0}),
        ("busy", 1, {"dollars": 5}),
    ):
        at_s = NOW_S - ago * DAY_S
        services.counting.count_now(
            {"pk": "Shop", "dimensions": label, "metrics": metrics, "at": at_s}
        )
    for metric, ascending in (
        ("hits", ["busy", "free"]),
        ("dollars", ["busy", "quiet"]),
        ("dollars/hits", ["free", "busy"]),
    ):
        rows = asked(services, metrics=metric, sort=metric)
        assert [row["dimension"] for row in rows] == ascending


def test_children_of_a_parent_that_cancels_out_are_ranked_below_it(services: Services) -> None:
    for label, dollars in (("x", 5), ("y", -5)):
        services.counting.count_now(
            {"pk": "Shop", "dimensions": ["a", label], "metrics": {"dollars": dollars}}
        )
    [above, below] = asked(services, metrics="dollars", depth=2)
    assert (above["dimension"], below["dimension"]) == ('["a", "x"]', '["a", "y"]')
    assert (above["share"], above["relative"], above["importance"]) == (None, None, None)
    assert (above["value"], above["parent_value"], above["difference"]) == (5, 0, 5)


class Log:
    """Cells that keep which (pk, dimension) were read, and of which metrics."""

    def __init__(self, cells: CellStore) -> None:
        self._cells = cells
        self.read_of: list[tuple[Path, Path, str]] = []

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        self.read_of += [
            (ask.chunk.pk, ask.chunk.dimension, metric)
            for ask in asks
            for metric in {metric for _, metric in ask.cells}
        ]
        return self._cells.read(asks)


@pytest.fixture
def log(services: Services) -> Log:
    return Log(services.store.cells)


@pytest.fixture
def logged(services: Services, log: Log, clock: Clock) -> Services:
    """A shop of twenty towns, and what is read of it."""
    for town in range(20):
        event = {"dimensions": ["town", str(town)], "metrics": {"dollars": town, "tax": 1}}
        services.counting.count_now({"pk": "Shop", **event})
    return assemble(services.settings, with_parts(services.store, cells=log), clock)


def test_only_the_deciding_metrics_of_siblings_are_read(logged: Services, log: Log) -> None:
    rows = asked(logged, dimension="town", metrics="dollars,tax", limit=2, period="all")
    assert [row["metrics"] for row in rows] == [{"dollars": n, "tax": 1} for n in (19, 18)]
    read = Counter(metric for _, path, metric in log.read_of if path[1:])
    assert read == {"dollars": 20 + 2, "tax": 2}


def test_a_plot_reads_the_points_of_what_it_shows_alone(logged: Services, log: Log) -> None:
    question = {"pk": "Shop", "dimension": "town", "depth": 1, "threshold": 0, "limit": 3}
    fields = {**question, "metrics": "tax", "sort": "-dollars", "period": "all"}
    found = logged.reporting.plotpoints(parse_plot(fields)).by_path
    assert list(found) == [("town",), *(("town", str(n)) for n in (19, 18, 17))]
    read = Counter(metric for _, path, metric in log.read_of if path[1:])
    assert read == {"dollars": 20, "tax": 20 + 3}


@pytest.mark.parametrize(
    "ask",
    [
        lambda services: asked(services, depth="all"),
        lambda services: services.reporting.plotpoints(parse_plot({"pk": "Shop", "depth": 2})),
        lambda services: services.reporting.subdimensions(
            parse_children({"pk": "Shop", "depth": 2})
        ),
    ],
    ids=["rank", "plotpoints", "subdimensions"],
)
def test_a_question_about_too_many_series_is_refused(
    logged: Services, log: Log, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Services], object]
) -> None:
    monkeypatch.setattr(children, "MAX_SERIES", 20)
    with pytest.raises(BadInput, match=r"^depth: .* at most 20 series"):
        ask(logged)
    assert not [path for _, path, _ in log.read_of if path[1:]]
