"""Series: folding conserves what is stored, and series add up point by point."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.query.resample import add, fold


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("edges", "stored", "folded"),
    [
        ([0, 60], {}, ["0"]),
        ([0, 60, 120], {0: "1", 30: "2", 60: "4"}, ["3", "4"]),
        ([0, 60, 120, 180], {150: "1"}, ["0", "0", "1"]),
        ([60, 120], {59: "1", 60: "2", 119: "4", 120: "8"}, ["6"]),
        ([0, 60], {0: None, 30: "2"}, ["2"]),
        ([0, 60], {0: None, 30: None}, ["0"]),
        ([0, 60], {0: "0.1", 1: "0.2", 2: "-0.3"}, ["0.0"]),
        ([-120, -60, 0], {-120: "1", -61: "2", -1: "4"}, ["3", "4"]),
        ([0, 100, 350], {0: "1", 100: "2", 349: "4"}, ["1", "6"]),
        ([], {0: "1"}, []),
        ([0], {0: "1"}, []),
    ],
)
def test_stored_buckets_are_summed_into_the_bucket_they_start_in(
    edges: list[int], stored: dict[int, str | None], folded: list[str]
) -> None:
    values = [None if text is None else Decimal(text) for text in stored.values()]
    assert fold(edges, list(stored), values) == decimals(*folded)


stored_buckets = st.dictionaries(
    st.integers(-500, 500), st.none() | st.decimals(-(10**20), 10**20, places=6), max_size=40
)


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(-400, 400), min_size=2, max_size=12), stored_buckets)
def test_folding_conserves_the_sum_and_sums_each_bucket_alone(
    edge_set: set[int], stored: Mapping[int, Decimal | None]
) -> None:
    edges, starts = sorted(edge_set), sorted(stored)
    folded = fold(edges, starts, [stored[start] for start in starts])

    def exactly(low: int, high: int) -> Fraction:
        return sum((Fraction(stored[at] or 0) for at in starts if low <= at < high), Fraction(0))

    assert [Fraction(value) for value in folded] == [exactly(*pair) for pair in pairwise(edges)]
    assert sum(map(Fraction, folded)) == exactly(edges[0], edges[-1])


def test_folding_twice_is_folding_once() -> None:
    minutes, values = list(range(0, 7200, 60)), [Decimal(n) / 10 for n in range(120)]
    quarters = list(range(0, 7201, 900))
    once = fold([0, 3600, 7200], minutes, values)
    assert fold([0, 3600, 7200], quarters[:-1], fold(quarters, minutes, values)) == once
    assert once == decimals("177", "537")


def test_the_callers_decimal_context_is_not_used() -> None:
    with localcontext(Context(prec=2)):
        wide = decimals("1000", "0.01")
        assert fold([0, 60], [0, 1], wide) == decimals("1000.01")
        assert add({"a": wide[:1]}, {"a": wide[1:]}) == {"a": decimals("1000.01")}


def test_series_are_added_metric_by_metric_and_a_missing_one_is_zeros() -> None:
    left = {"hits": decimals("5", "7"), "sales": decimals("1", "2")}
    right = {"hits": decimals("2", "7"), "refunds": decimals("0.5", "0")}
    assert add(left, right) == {
        "hits": decimals("7", "14"),
        "sales": decimals("1", "2"),
        "refunds": decimals("0.5", "0"),
    }
    assert add({}, {}) == {}
