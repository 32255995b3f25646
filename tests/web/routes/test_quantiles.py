"""/quantiles: those of histograms over HTTP, as JSON and as CSV."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.events.histogram import bucket_metric
from hailwhale.services.container import Services
from tests.web.client import Client


@pytest.fixture(autouse=True)
def timings(services: Services) -> None:
    for ms in range(1, 101):
        metrics = {bucket_metric("t", ms): 1}
        dimensions = {"country": "US" if ms <= 10 else "CA"}
        fields = {"pk": ["Web", "api"], "dimensions": dimensions, "metrics": metrics}
        services.counting.count_now(fields)


def test_quantiles_come_by_period_and_dimension(whale: Client) -> None:
    query = 'pk=["Web","api"]&metric=t&periods=today,1d:1d&dimensions=[["_"],["country","US"]]'
    everything = {
        "t:p50": Decimal("48.641"),
        "t:p95": Decimal("95.207"),
        "t:p99": Decimal("95.207"),
    }
    of_us = {"t:p50": Decimal("4.8641"), "t:p95": Decimal("9.5207"), "t:p99": Decimal("9.5207")}
    found = {"_": everything, '["country", "US"]': of_us}
    assert whale.get("/quantiles", query).json == {"today": found, "1d:1d": found}


@pytest.mark.parametrize("shares", ["0.2,0.999", [0.2, "0.999"]])
def test_shares_may_be_asked_for(whale: Client, shares: object) -> None:
    asked = {"pk": "Web", "metrics": "t", "period": "today", "shares": shares}
    found = {"today": {"_": {"t:p20": Decimal("20.512"), "t:p99.9": Decimal("95.207")}}}
    assert whale.post("/quantiles", asked).json == found


def test_two_shares_never_have_one_name(whale: Client) -> None:
    asked = {"pk": "Web", "metrics": "t", "period": "today", "shares": [0.07, 0.99999999, 1]}
    [found] = whale.post("/quantiles", asked).json["today"].values()
    assert list(found) == ["t:p7", "t:p99.999999", "t:p100"]


def test_a_spreadsheet_gets_a_row_for_each(whale: Client) -> None:
    answer = whale.get("/quantiles", "pk=Web&metric=t&period=today&shares=0.5&format=csv")
    assert answer.text.splitlines() == ["period,dimension,metric,value", "today,_,t:p50,48.641"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("metric=t&shares=95", "shares"),
        ("metric=t&shares=", "shares"),
        ("metric=t&share=0.5", "share"),
        ("metric=hits", "metrics"),
        ("metric=t/hits", "metrics"),
        ("metric=t&depth=1", "depth"),
        ("metric=t&format=xml", "format"),
    ],
)
def test_invalid_input_is_refused_by_name(whale: Client, query: str, parameter: str) -> None:
    answer = whale.get("/quantiles", f"pk=Web&{query}")
    assert (answer.status, answer.error["parameter"]) == (400, parameter)
