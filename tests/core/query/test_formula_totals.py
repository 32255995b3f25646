"""Formulas over many series at once: what has to be known of each, and what their weight is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.query.bucket_lengths import Bucket
from hailwhale.core.query.columns import sums_of
from hailwhale.core.query.formula import Formula, terms_of
from hailwhale.errors import BadInput

DAYS = [Bucket(0, 86400), Bucket(86400, 172800), Bucket(172800, 259200)]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("dollars", ("dollars",)),
        ("dollars/hits", ("dollars", "hits")),
        ("hits/hits", ("hits",)),
        ("dollars:sum/days", ("dollars",)),
        ("price:last", ("price:last",)),
        ("price:last - price", ("price:last", "price")),
    ],
)
def test_a_total_takes_sums_or_the_last_value(text: str, terms: tuple[str, ...]) -> None:
    assert Formula.parse(text).terms == terms


def test_terms_of_several_formulas_are_there_once() -> None:
    formulas = [Formula.parse(text) for text in ("dollars/hits", "hits", "dollars:last")]
    assert terms_of(formulas) == ["dollars", "hits", "dollars:last"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("dollars", ("dollars",)),
        ("dollars - tax", ("dollars", "tax")),
        ("dollars/days", ("dollars",)),
        ("dollars/2", ("dollars",)),
        ("dollars/hits", ("hits",)),
        ("100 * (dollars - tax)/hits", ("hits",)),
        ("dollars/hits - 1", ("hits",)),
        ("-(dollars/hits)", ("hits",)),
        ("dollars/(hits + views * 2)", ("hits", "views")),
        ("dollars/(hits/views)", ("hits", "views")),
        ("dollars/hits/views", ("views",)),
        ("dollars/days/hits", ("hits",)),
        ("dollars/hits:last", ("hits:last",)),
        ("cost/clicks + dollars/hits", ("hits",)),
    ],
)
def test_the_weight_is_what_is_divided_by_in_the_end_else_the_formula(
    text: str, terms: tuple[str, ...]
) -> None:
    assert Formula.parse(text).weight.terms == terms


def test_the_weight_of_a_denominator_is_worked_out_as_it_stands_there() -> None:
    weight = Formula.parse("dollars/(hits + views * 2)").weight
    sums = {"hits": [Decimal(3), Decimal(0)], "views": [Decimal(2), Decimal(5)]}
    assert weight.totals(sums, DAYS) == [7, 10]


numbers = st.lists(st.decimals(-1_000, 1_000, places=2), min_size=3, max_size=3)
series = st.fixed_dictionaries({"dollars": numbers, "hits": numbers})
TEXTS = [
    *("dollars", "dollars/hits", "dollars:sum", "dollars:last", "hits:last - hits"),
    *("dollars/days", "hits * _count", "dollars/_days_in_month"),
]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TEXTS), st.lists(series, min_size=1, max_size=4))
def test_the_totals_of_many_series_are_the_total_of_each(
    text: str, many: list[dict[str, list[Decimal]]]
) -> None:
    formula = Formula.parse(text)
    known = [sums_of(columns, formula.terms) for columns in many]
    sums = {term: [each[term] for each in known] for term in formula.terms}
    assert formula.totals(sums, DAYS) == [formula.total(columns, DAYS) for columns in many]


def test_a_total_past_the_largest_answer_is_refused() -> None:
    sums = {"a": [Decimal(1), Decimal("1e59")]}
    with pytest.raises(BadInput, match=r"^metrics: .* below 10\^300"):
        Formula.parse(" * ".join(["a"] * 6)).totals(sums, DAYS)
