"""Which series a plot shows, on a real store, against the rule in its plainest form."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from hailwhale.core.events.paths import Path, written
from hailwhale.core.query.parameters import parse_plot
from hailwhale.services.container import Services
from tests.conftest import NOW_S
from tests.services.query.plain_children import Counted, Node, Plain, descendants, held, order
from tests.services.reading import Sent

DAY_S = 86_400
PK: Path = ("Shop",)
ASKED: list[list[Path]] = [[()], [("a",)], [("a",), ("a", "b")], [("a",), ()], [("a", "b"), ("c",)]]
RULES: list[dict[str, Any]] = [
    {"depth": 1, "threshold": "0", "limit": 0},
    {"depth": 1, "threshold": "0.3", "limit": 2},
    {"depth": 2, "threshold": "0.1", "limit": 3},
    {"depth": 3, "threshold": "0", "limit": 5, "descending": False},
    {"depth": 3, "threshold": "0.25", "limit": 0, "descending": False},
    {"depth": 3, "threshold": "1", "limit": 0},
]


def counted(services: Services, seed: int) -> list[Sent]:
    chance = random.Random(seed)
    events = [
        Sent(
            PK,
            (tuple(chance.choice("abc") for _ in range(chance.randint(1, 3))),),
            NOW_S - chance.randrange(40) * DAY_S,
            {"dollars": Decimal(chance.randrange(-20, 60)), "tax": Decimal(chance.randrange(3))},
        )
        for _ in range(100)
    ]
    report = services.counting.count_many_now([event.fields for event in events])
    assert report.accepted == len(events)
    return events


def shown(
    known: Counted, lead: Plain, sort: Plain, asked: list[Path], rule: Mapping[str, Any]
) -> list[Path]:
    """The paths to show: those asked for, then the first of the descendants that hold enough."""

    def kept(parent: Node, child: Node) -> bool:
        share = held(known.weight(lead, child), known.weight(lead, parent))
        return share >= Fraction(rule["threshold"])

    def place(node: Node) -> tuple[tuple[bool, Fraction], Node]:
        return order(known.value(sort, node), descending=rule.get("descending", True)), node

    pairs = descendants(known, [(PK, path) for path in asked], rule["depth"], False, kept)
    found = sorted((child for _, child in pairs), key=place)
    return [*asked, *(path for _, path in found[: rule["limit"] or len(found)])]


@pytest.mark.parametrize("sort", [Plain("dollars"), Plain("dollars", "hits"), Plain("tax")])
@pytest.mark.parametrize("lead", [Plain("dollars"), Plain("hits")])
def test_a_plot_shows_what_the_plain_rule_shows(
    services: Services, lead: Plain, sort: Plain
) -> None:
    known = Counted.of(counted(services, 5), "1d:1mo")
    for rule in RULES:
        for asked in ASKED:
            sign = "-" if rule.get("descending", True) else ""
            question = {name: rule[name] for name in ("depth", "threshold", "limit")}
            fields = {
                **question,
                "pk": list(PK),
                "metrics": lead.text,
                "dimensions": [list(path) or ["_"] for path in asked],
                "sort": f"{sign}{sort.text}",
            }
            found = services.reporting.plotpoints(parse_plot(fields)).by_path
            assert list(found) == shown(known, lead, sort, asked, rule)
            for path, metrics in found.items():
                total = sum(map(Fraction, metrics[lead.text]))
                assert total == known.value(lead, (PK, path))


@pytest.mark.parametrize("sort", ["-dollars", "dollars", "-dollars/hits"])
@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_other_and_what_is_shown_are_all_children_together(
    services: Services, limit: int, sort: str
) -> None:
    known = Counted.of(counted(services, 6), "1d:1mo")
    fields = {"pk": "Shop", "metrics": "dollars", "depth": 3, "threshold": 0.2}
    fields |= {"limit": limit, "sort": sort}
    found = services.reporting.plotpoints(parse_plot({**fields, "other": 1})).by_path
    sums = {
        written(path): sum(map(Fraction, metrics["dollars"])) for path, metrics in found.items()
    }
    shown_paths = [path for _, path in known.known if written(path) in sums]
    assert len(shown_paths) == len([name for name in sums if "_other" not in name])
    for path in shown_paths:
        assert written(path[:-1]) in sums, "what is shown is in no _other"
        below = [child for _, child in known.below((PK, path), of_pks=False)]
        rest = [child for child in below if written(child) not in sums]
        other = written((*path, "_other"))
        if len(path) < 3 and rest:
            together = sum(known.weight(Plain("dollars"), (PK, child)) for child in rest)
            assert sums[other] == together
        else:
            assert other not in sums


def test_a_sort_may_go_by_the_last_value(services: Services) -> None:
    for label, days_ago, price in (("a", 3, 9), ("a", 1, 2), ("b", 2, 5), ("c", 1, 3)):
        event = {"pk": "Shop", "dimensions": label, "metrics": {"price": price}}
        services.counting.count_now({**event, "at": NOW_S - days_ago * DAY_S})
    fields = {"pk": "Shop", "depth": 1, "threshold": 0, "sort": "-price:last", "period": "1d:1w"}
    found = services.reporting.plotpoints(parse_plot(fields)).by_path
    assert list(found) == [(), ("b",), ("c",), ("a",)]
