"""`hailwhale quantiles` and `Whale.quantiles`: what they say of histograms, and of what is none."""

from __future__ import annotations

import json

import pytest

from hailwhale.core.events.histogram import bucket_metric
from hailwhale.services.container import Services
from tests.commands.conftest import Run


@pytest.fixture(autouse=True)
def timings(services: Services) -> None:
    for ms in range(1, 101):
        metrics = {"t_sum": ms, "t_count": 1, bucket_metric("t", ms): 1}
        dimensions = {"country": "US" if ms <= 10 else "CA"}
        fields = {"pk": ["Web", "api"], "dimensions": dimensions, "metrics": metrics}
        services.counting.count_now(fields)


def test_quantiles_are_a_table(run: Run) -> None:
    pk, dimensions = '["Web", "api"]', '[["_"], ["country", "US"]]'
    said = run("quantiles", pk, "t", "--period", "1d:1d", "--dimensions", dimensions)
    assert said.splitlines() == [
        "period  dimension           t:p50   t:p95   t:p99",
        "1d:1d   _                  48.641  95.207  95.207",
        '1d:1d   ["country", "US"]  4.8641  9.5207  9.5207',
    ]


def test_a_value_among_more_than_a_float_counts_decides(services: Services, run: Run) -> None:
    for ms, times in ((10, 10**29), (1_000, 1)):
        metrics = {bucket_metric("t", ms): times}
        services.counting.count_now({"pk": "Many", "metrics": metrics})
    said = run("quantiles", "Many", "t", "--period", "today", "--shares", "0.5,1")
    assert said.splitlines()[1].split() == ["today", "_", "9.5207", "952.07"]


def test_shares_and_json_may_be_asked_for(run: Run) -> None:
    said = run("quantiles", "Web", "t", "--period", "1d:1d", "--shares", "0.2,0.999", "--json")
    assert json.loads(said) == {"1d:1d": {"_": {"t:p20": 20.512, "t:p99.9": 95.207}}}


def test_what_was_never_counted_is_zero(run: Run) -> None:
    said = run("quantiles", "Nothing", "t", "--period", "today", "--shares", "0.5", "--json")
    assert json.loads(said) == {"today": {"_": {"t:p50": 0}}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Web", "t_sum"), "metrics: got 't_sum'; expected a metric with a histogram"),
        (("Web", "t/hits"), "metrics: got 't/hits'; expected the name of a metric, not a formula"),
        (("Web", "t", "--shares", "95"), "shares: got '95'; expected shares above 0 and at most 1"),
        (("Web", "t", "--shares", "x"), "shares: got 'x'"),
    ],
)
def test_what_has_no_quantiles_is_refused(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert run("quantiles", *arguments, code=2).startswith(f"hailwhale: {said}")
