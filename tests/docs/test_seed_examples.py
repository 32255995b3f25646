"""The examples of the first README, verbatim: its URLs over HTTP, its calls in the library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from hailwhale import periods
from hailwhale.hail import Hail
from hailwhale.services.container import Services
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.whale import Whale
from tests.web.client import Client

NOON_MS = 1_773_576_000_000  # 2026-03-15 12:00 UTC; it is 12:10:30
INCOME = [
    'dimensions=services&metrics={"dollars": 200}',
    'dimensions=advertising&metrics={"dollars": -2000}',
    'dimensions={"sales": 12}&metric={"dollars": 500}',
]


@pytest.fixture
def whale(services: Services) -> Client:
    return Client(whale_app(services))


@pytest.fixture(params=["as written", "as a browser sends it"])
def income(request: pytest.FixtureRequest, whale: Client) -> Client:
    """Whale after the three events of the README's thank-you page."""
    for query in INCOME:
        sent = query if request.param == "as written" else quote(query, safe="=&{}:,")
        assert whale.get("/count", sent).body == b"OK"
    return whale


def shown(answer: Any, metric: str = "dollars") -> dict[str, Any]:
    return {
        dimension: sum(value for _, value in metrics[metric])
        for dimension, metrics in answer.json.items()
    }


# Counting dollars


def test_the_totals_of_the_three_incomes(income: Client) -> None:
    answer = income.get("/totals", 'metrics=["dollars","hits","dollars/hits"]')
    sums = '{"_":{"dollars":-1300,"hits":3,"dollars/hits":-433.33333333333333}}'
    assert answer.text == (
        f'{{"1d:1y":{sums},"1d:1mo":{sums},"1d:1w":{sums},"1h:1d":{sums},"1m:1h":{sums}}}'
    )


def test_the_graph_of_the_three_incomes_shows_each_stream(income: Client) -> None:
    answer = income.get("/plotpoints", "depth=1&metrics=dollars")
    assert shown(answer) == {"_": -1300, "sales": 500, "services": 200, "advertising": -2000}
    assert list(answer.json) == ["_", "sales", "services", "advertising"]
    days = [at_ms for at_ms, _ in answer.json["_"]["dollars"]]
    assert days == [NOON_MS - 43_200_000 - 86_400_000 * back for back in range(27, -1, -1)]


@pytest.mark.parametrize(
    ("fees", "series"),
    [
        (-144, ["_", "sales", "services", "advertising"]),  # 144 of 1444 dollars
        (-145, ["_", "sales", "services", "fees", "advertising"]),  # 145 of 1445
    ],
)
def test_the_graph_leaves_out_what_is_under_10_percent_of_the_total(
    income: Client, fees: int, series: list[str]
) -> None:
    income.get("/count", f'dimensions=fees&metrics={{"dollars": {fees}}}')
    answer = income.get("/plotpoints", "depth=1&metrics=dollars")
    assert list(answer.json) == series


def test_sales_overall_shows_the_products_with_10_percent_of_the_sales(income: Client) -> None:
    for product_id, dollars in ((7, 30), (8, 70), (9, 400)):
        income.get(
            "/count", f'dimensions={{"sales": {product_id}}}&metric={{"dollars": {dollars}}}'
        )
    answer = income.get("/plotpoints", "dimensions=sales&depth=1&metrics=dollars")
    assert shown(answer) == {"sales": 1000, '["sales", "12"]': 500, '["sales", "9"]': 400}


def test_the_average_revenue_per_sale(income: Client) -> None:
    income.get("/count", 'dimensions={"sales": 12}&metric={"dollars": 250}')
    answer = income.get("/plotpoints", "dimensions=sales&metric=dollars/hits&period=1h:1h")
    assert answer.json == {"sales": {"dollars/hits": [[NOON_MS, 375]]}}


# Decisions, as far as they are counted


def test_json_in_single_quotes_and_a_fraction_without_a_zero(whale: Client) -> None:
    counted = 'pk=PageVariation&dimensions={"country": "US"}&metric={"spent": .50}'
    assert whale.get("/count", counted).body == b"OK"
    asked = "pk=['PageVariation']&metrics=['spent', 'hits']&period=all&dimensions={'country': 'US'}"
    answer = whale.get("/totals", asked)
    assert answer.text == '{"all":{"[\\"country\\", \\"US\\"]":{"spent":0.5,"hits":1}}}'


def test_hail_collects_and_whale_has_it_after_the_drain(services: Services, whale: Client) -> None:
    hail = Client(hail_app(services))
    for query in INCOME:
        assert hail.get("/count", query).body == b"OK"
    assert whale.get("/flush_hail").json == {"counted": 3}
    assert whale.get("/totals", "metric=dollars&period=all").json == {
        "all": {"_": {"dollars": -1300}}
    }


# The library


@pytest.fixture(params=["the class", "an instance"])
def library(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    valkey: EmbeddedValkey,
    namespace: str,
) -> Iterator[Any]:
    """`Whale` itself over a store that the environment names, and an instance."""
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    if request.param == "an instance":
        with_url = Whale(valkey.url)
        yield with_url
        with_url.close()
        return
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    for door in (Whale, Hail):
        monkeypatch.setattr(door, "_default", None)
    yield Whale
    for opened in (Whale.default(), Hail.default()):
        opened.close()


def test_a_purchase_is_counted_and_asked_for(library: Any) -> None:
    product_id, x = 7, 9.5
    library.count_now(["Product", product_id], metric={"revenue": x, "sales": 1})
    library.count_now(
        ["Product", product_id],
        metric={"revenue": x, "sales": 1},
        dimensions={"country": "US", "device": "Mac OS X"},
    )
    totals = library.totals(["Product", product_id], metric=["revenue", "sales"], period="1d:1mo")
    assert totals == {"1d:1mo": {"_": {"revenue": 19, "sales": 2}}}
    plotpoints = library.plotpoints(["Product", product_id], metric=["revenue"])
    assert list(plotpoints) == ["_"]
    assert list(plotpoints["_"]) == ["revenue"]
    points = plotpoints["_"]["revenue"]
    assert 28 <= len(points) <= 31
    assert sum(value for _, value in points) == 19
    assert sum(value for _, value in points[-2:]) == 19  # counted now, unless midnight just was


@pytest.mark.parametrize(
    ("pk", "dimension", "hits"),
    [
        (["Product", 7], None, 1),
        (["Product", "7"], {"country": "US"}, 1),
        ("Product", ["device", "Mac OS X"], 1),
        ("Product", "device", 1),
        ("Product", ["country", "CA"], 0),
        (["Product", 8], None, 0),
    ],
)
def test_a_purchase_counts_under_every_prefix(
    library: Any, pk: object, dimension: object, hits: int
) -> None:
    dimensions = {"country": "US", "device": "Mac OS X"}
    library.count_now(["Product", 7], metrics={"revenue": 9.5}, dimension=dimensions)
    assert library.total(pk, dimension=dimension) == hits
    assert library.total(pk, "revenue", "all", dimension) == hits * 9.5
    assert (
        library.today(pk, dimension=dimension) + library.yesterday(pk, dimension=dimension) == hits
    )


def test_the_default_periods_are_those_of_the_periods_module(library: Any) -> None:
    library.count_now("Product")
    assert tuple(library.totals("Product")) == periods.DEFAULT_TOTALS
    assert periods.Period.parse(periods.DEFAULT).text == "1d:1mo"


def test_setting_erasing_and_looking_below(library: Any) -> None:
    library.update_count_to("Queue", metrics={"jobs": 12}, dimension={"host": "a"})
    library.update_count_to("Queue", metric={"jobs": 7}, dimension={"host": "a"})
    assert library.total("Queue", "jobs", "all") == 7
    assert library.subdimensions("Queue", depth=2) == {"_": ["host", '["host", "a"]']}
    assert library.reset("Queue", ["host", "a"]) > 0
    assert library.subdimensions("Queue", depth=2) == {"_": ["host"]}


def test_hail_buffers_on_the_class(
    monkeypatch: pytest.MonkeyPatch, valkey: EmbeddedValkey, namespace: str
) -> None:
    monkeypatch.setenv("HAILWHALE_REDIS_URL", valkey.url)
    monkeypatch.setenv("HAILWHALE_NAMESPACE", namespace)
    for door in (Whale, Hail):
        monkeypatch.setattr(door, "_default", None)
    assert Hail.count(["Product", 7], metric={"revenue": ".50"}, id="order-1") is True
    assert Hail.count(["Product", 7], metric={"revenue": ".50"}, id="order-1") is False
    assert Whale.total("Product", "revenue", "all") == 0
    assert Hail.flush() == 1
    assert Whale.total("Product", "revenue", "all") == 0.5
    assert Whale.count_now(["Product", 7], id="order-1") is False
    for opened in (Whale.default(), Hail.default()):
        opened.close()
