"""Histograms as metrics: how far their quantiles may be off, and that they add up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.events.histogram import (
    DIGITS,
    MAX_RELATIVE_ERROR,
    bucket_metric,
    bucket_of,
    quantile,
    value_of,
)
from hailwhale.core.events.metrics import parse_metric_name
from hailwhale.core.query.formula import Formula

VALUES = st.floats(-1e29, 1e29).filter(lambda value: abs(value) > 1e-30)
D0 = Decimal(0)
SHARES = (0.01, 0.5, 0.95, 0.99, 1.0)


def histogram(values: Iterable[float]) -> dict[str, Decimal]:
    return {name: Decimal(n) for name, n in Counter(bucket_metric("t", v) for v in values).items()}


def nearest_rank(values: list[float], share: float) -> float:
    return sorted(values)[math.ceil(Decimal(repr(share)) * len(values)) - 1]


def is_within_the_stated_error(found: Decimal, true: float | Decimal) -> bool:
    exact = Fraction(true)
    return abs(Fraction(found) - exact) <= abs(exact) * STATED


STATED = Fraction("0.048")


def test_the_stated_error_is_that_of_the_docs() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "statsd.rst").read_text(encoding="utf-8")
    assert f"within **{MAX_RELATIVE_ERROR * 100:.1f} %** of the true one" in docs
    assert Fraction(repr(MAX_RELATIVE_ERROR)) == STATED


def test_the_stated_error_holds_at_the_edges_of_every_bucket_there_can_be() -> None:
    for index in range(24 * -30, 24 * 30 + 1):
        for sign in (1, -1):
            lower, upper = (sign * Decimal(repr(10 ** (at / 24))) for at in (index - 1, index))
            found = value_of(f"{'p' if sign > 0 else 'n'}{index}")
            assert is_within_the_stated_error(found, lower), index
            assert is_within_the_stated_error(found, upper), index
            assert len(found.as_tuple().digits) <= DIGITS


@given(VALUES)
def test_a_bucket_is_represented_by_a_value_within_the_stated_error(value: float) -> None:
    assert is_within_the_stated_error(value_of(bucket_of(value)), value)


@pytest.mark.parametrize("power", range(-30, 30))
def test_a_power_of_ten_is_the_upper_edge_of_its_bucket(power: int) -> None:
    assert bucket_of(Decimal(10) ** power) == f"p{24 * power}"
    assert bucket_of(Decimal(10) ** power * Decimal("1.000001")) == f"p{24 * power + 1}"


@pytest.mark.parametrize("value", [0, -0.0, Decimal("0E-30")])
def test_zero_has_a_bucket_of_its_own(value: float) -> None:
    assert bucket_of(value) == "z"
    assert value_of("z") == 0


@pytest.mark.parametrize("value", [1e-10, Decimal("-1e-12"), Decimal("1e-30")])
def test_values_of_any_size_are_told_from_zero(value: float) -> None:
    assert is_within_the_stated_error(value_of(bucket_of(value)), value)


@given(st.lists(VALUES, min_size=1, max_size=60), st.sampled_from(SHARES))
def test_a_quantile_is_within_the_stated_error_of_the_nearest_rank(
    values: list[float], share: float
) -> None:
    true = nearest_rank(values, share)
    found = quantile(histogram(values), share)
    assert found is not None
    assert is_within_the_stated_error(found, true)


@given(st.lists(VALUES, max_size=30), st.lists(VALUES, max_size=30), st.sampled_from(SHARES))
def test_histograms_add_up(some: list[float], others: list[float], share: float) -> None:
    first, second = histogram(some), histogram(others)
    added = {name: first.get(name, D0) + second.get(name, D0) for name in first | second}
    assert quantile(added, share) == quantile(histogram(some + others), share)


def test_of_no_values_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({"t~p3": Decimal(0)}, 0.5) is None


@given(VALUES)
def test_a_bucket_is_a_metric_that_can_be_asked_for(value: float) -> None:
    name = bucket_metric("latency", value)
    assert parse_metric_name(name) == name
    assert Formula.parse(name).is_plain


@pytest.mark.parametrize("share", [1, 1.0])
@pytest.mark.parametrize("others", [10, 10**25, 10**29 - 1, 10**29, 10**59])
def test_one_value_among_any_number_decides_a_quantile(others: int, share: float) -> None:
    counts = {"t~p24": Decimal(others), "t~p48": Decimal(1)}
    assert quantile(counts, share) == value_of("p48")
    assert quantile(counts, 0.5) == value_of("p24")
