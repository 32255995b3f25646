"""What a question may cost is bounded as a product, whichever of its factors is large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from hailwhale.core.query.cost import SETTING, QueryCost
from hailwhale.core.query.parameters import parse_plot, parse_rank, parse_totals
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import plotpoints_json, ranking_json, totals_json
from hailwhale.store.redis.cells import RedisCells
from hailwhale.store.redis.views import RedisViews
from hailwhale.store.types import CellQuery, ChildrenView
from hailwhale.web.apps import whale_app
from tests.web.client import Client

MOST = 5_000
CHILDREN = 300
BY_TOWN: dict[str, object] = {"pk": "Big", "dimensions": '["town"]'}
MANY_METRICS = ",".join(f"m{number}" for number in range(64))
MANY_PERIODS = ",".join(f"1h:{hours}h" for hours in range(600, 632))
MANY_PATHS = str([["town", f"t{number}"] for number in range(32)]).replace("'", '"')


@pytest.fixture
def services(make_services: Callable[..., Services]) -> Services:
    services = make_services(max_query_cells=MOST)
    services.counting.count_many_now(
        {"pk": ["Big", place % 3], "dimensions": {"town": f"t{place}"}, "metrics": "m1"}
        for place in range(CHILDREN)
    )
    services.counting.count_many_now(
        {"pk": "Wide", "dimensions": [f"d{place}", f"label {place}"]} for place in range(950)
    )
    services.counting.count_many_now({"pk": ["Many", place, "x"]} for place in range(950))
    return services


@pytest.fixture
def whale(services: Services) -> Client:
    return Client(whale_app(services))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The cells, and the children of views, of each call that reads any."""
    found: list[int] = []
    cells, views = RedisCells.read, RedisViews.read

    def noted_cells(self: RedisCells, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        found.append(sum(len(ask.cells) for ask in asks))
        return cells(self, asks)

    def noted_views(self: RedisViews, asked: Sequence[ChildrenView], now_s: float) -> list[Any]:
        found.append(CHILDREN * len(asked))
        return views(self, asked, now_s)

    monkeypatch.setattr(RedisCells, "read", noted_cells)
    monkeypatch.setattr(RedisViews, "read", noted_views)
    return found


LARGE: dict[str, tuple[str, dict[str, object], str]] = {
    "series x points": (
        "/plotpoints",
        {**BY_TOWN, "depth": 1, "limit": 0, "threshold": 0, "period": "1h:1d"},
        "limit",
    ),
    "series x stored buckets": (
        "/plotpoints",
        {**BY_TOWN, "depth": 1, "period": "1h:33d"},
        "period",
    ),
    "series x metrics of a sort": (
        "/plotpoints",
        {**BY_TOWN, "depth": 1, "period": "all", "sort": MANY_METRICS.replace(",", "+")},
        "depth",
    ),
    "series x formulas": (
        "/rank",
        {**BY_TOWN, "limit": 0, "period": "all", "metrics": MANY_METRICS},
        "depth",
    ),
    "series x long formulas": (
        "/rank",
        {**BY_TOWN, "limit": 0, "period": "all", "metrics": "+".join(["m1"] * 60)},
        "depth",
    ),
    "series x chunks": ("/rank", {**BY_TOWN, "period": "1d:3y"}, "period"),
    "what is left over": (
        "/plotpoints",
        {**BY_TOWN, "depth": 1, "other": 1, "limit": 1, "threshold": 0, "period": "1d:30d"},
        "other",
    ),
    "periods x paths": (
        "/totals",
        {"pk": "Big", "dimensions": MANY_PATHS, "period": MANY_PERIODS},
        "period",
    ),
    "days of visitors": (
        "/plotpoints",
        {"pk": "Big", "dimensions": MANY_PATHS, "metrics": "uniques", "period": "1d:60d"},
        "period",
    ),
    "points x formulas of a graph": (
        "/graph.json",
        {"pk": "Big", "period": "1h:33d", "metrics": MANY_METRICS},
        "period",
    ),
    "a picture": (
        "/graph.svg",
        {**BY_TOWN, "depth": 1, "limit": 0, "threshold": 0, "period": "1h:1d"},
        "limit",
    ),
    "what is scraped": (
        "/prometheus",
        {**BY_TOWN, "depth": 1, "limit": 0, "metrics": MANY_METRICS},
        "limit",
    ),
    "quantiles x shares": (
        "/quantiles",
        {
            "pk": "Big",
            "dimensions": MANY_PATHS,
            "metrics": MANY_METRICS.replace("m", "n"),
            "period": "all",
            "shares": ",".join(str(share / 200) for share in range(1, 101)),
        },
        "shares",
    ),
    "labels of many parents": ("/subdimensions", {"pk": "Wide", "depth": 2}, "depth"),
    "pks of many pks": ("/rank", {"pk": "Many", "of": "pks", "depth": 2, "period": "all"}, "depth"),
    "curves x points": ("/render", {"target": "Big.by.town.*.hits", "from": "-2d"}, "target"),
    "targets x points": (
        "/render",
        [("target", f"Big.m{place}") for place in range(32)] + [("from", "-20d")],  # type: ignore[dict-item]
        "maxDataPoints",
    ),
    "functions x points": (
        "/render",
        {"target": f"{'scale(' * 15}Big.m1{',2)' * 15}", "from": "-33d"},
        "maxDataPoints",
    ),
    "labels that match": ("/metrics/find", {"query": "Wide.by.*.*"}, "query"),
    "pks that match": ("/metrics/find", {"query": "Many.*.*.*"}, "query"),
}


@pytest.mark.parametrize(("path", "fields", "parameter"), LARGE.values(), ids=LARGE)
def test_a_question_that_costs_too_much_is_refused_before_it_is_answered(
    whale: Client, read: list[int], path: str, fields: dict[str, object], parameter: str
) -> None:
    answer = whale.get(path, urlencode(fields))

    assert answer.status == 400
    assert SETTING in answer.text
    if path != "/graph.svg":
        assert answer.error["parameter"] == parameter
    assert sum(read) <= MOST


def test_the_refusal_says_what_it_would_cost_and_what_to_ask_for(whale: Client) -> None:
    asked = {**BY_TOWN, "depth": 1, "limit": 0, "threshold": 0, "period": "1h:1d"}

    error = whale.get("/plotpoints", urlencode(asked)).error

    assert error["message"].startswith("got 'a query of ")
    assert error["message"].endswith(
        "expected a smaller limit, or fewer metrics: a query of at most 5000 cells "
        "(HAILWHALE_MAX_QUERY_CELLS)"
    )


def test_limit_0_answers_all_within_the_product(
    services: Services, make_services: Callable[..., Services]
) -> None:
    answer = Client(whale_app(make_services())).get(
        "/rank", urlencode({**BY_TOWN, "limit": 0, "period": "all"})
    )
    assert answer.status == 200
    assert len(answer.json) == CHILDREN


def test_an_operator_may_raise_the_limit(
    services: Services, make_services: Callable[..., Services]
) -> None:
    ample = make_services(max_query_cells=10_000_000)
    asked = {"pk": "Big", "dimensions": ["town"], "depth": 1, "limit": 0, "threshold": 0}
    question = parse_plot({**asked, "period": "1h:1d"})

    with pytest.raises(BadInput, match=SETTING):
        services.reporting.plotpoints(question)
    assert len(ample.reporting.plotpoints(question).by_path) == CHILDREN + 1


FIELDS = {"pk": "Big", "dimensions": ["town"]}
ASKED: dict[str, Callable[[Services], object]] = {
    "plotpoints": lambda services: plotpoints_json(
        services.reporting.plotpoints(
            parse_plot({**FIELDS, "depth": 1, "limit": 3, "period": "1d:3d"})
        )
    ),
    "rank": lambda services: ranking_json(
        services.ranking.rank(parse_rank({**FIELDS, "metrics": "m1,hits", "period": "1d:3d"}))
    ),
    "totals": lambda services: totals_json(
        services.reporting.totals(parse_totals({**FIELDS, "period": "today,all,1h:2d"}))
    ),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_no_question_reads_more_cells_than_it_was_counted_at(
    services: Services,
    read: list[int],
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Services], object],
) -> None:
    costs: list[QueryCost] = []
    begin = QueryCost.__init__

    def noted(self: QueryCost, *args: Any) -> None:
        begin(self, *args)
        costs.append(self)

    monkeypatch.setattr(QueryCost, "__init__", noted)
    ask(services)

    [cost] = costs
    assert 0 < sum(read) <= cost.cells <= MOST
