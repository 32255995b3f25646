"""Tables and sparklines as they look."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hailwhale.commands.table import number_text, sparkline, table
from hailwhale.core.numbers import Number

FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-1234567, "-1,234,567"),
        (0.1, "0.1"),
        (-0.5, "-0.5"),
        (1e22, "10,000,000,000,000,000,000,000"),
        (1e-7, "0.0000001"),
        (Decimal("1234.56789012345678901"), "1,234.56789012345678901"),
    ],
)
def test_numbers_have_all_their_digits_and_separators(number: Number, text: str) -> None:
    assert number_text(number) == text


def test_columns_of_numbers_are_aligned_to_the_right_even_where_one_is_missing() -> None:
    found = table(["dimension", "hits", ""], [["country", 1200, "▁█"], ["_", "", "▁"]])
    assert found.splitlines() == [
        "dimension   hits",
        "country    1,200  ▁█",
        "_                 ▁",
    ]


def test_a_table_without_rows_is_its_header() -> None:
    assert table(["below", "dimension"], []) == "below  dimension"


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([0, 0, 0], "▁▁▁"),
        ([7], "█"),
        ([0, 50, 100], "▁▅█"),
        ([99, 100], "██"),
        ([-1, -1], "▁▁"),
        ([-10, 0], "▁█"),
        ([-5, 0, 5], "▁▅█"),
        ([Decimal("1e29"), 0], "█▁"),
    ],
)
def test_bars_stand_on_0_or_on_the_lowest(values: list[Number], bars: str) -> None:
    assert sparkline(values) == bars


def test_a_peak_among_many_values_is_not_lost() -> None:
    assert sparkline([0] * 999 + [9] + [0] * 1000, width=4) == "▁█▁▁"


@given(st.lists(FINITE, min_size=1, max_size=60))
@example([0.0, 5e-324])
@settings(max_examples=50, deadline=None)
def test_higher_values_never_have_lower_bars(values: list[float]) -> None:
    bars = sparkline(values)
    assert len(bars) == len(values)
    by_value = [bar for _, bar in sorted(zip(values, bars, strict=True))]
    assert by_value == sorted(by_value)


@given(st.lists(FINITE, min_size=61, max_size=200))
@settings(max_examples=20, deadline=None)
def test_more_values_than_fit_are_as_wide_as_fits(values: list[float]) -> None:
    assert len(sparkline(values)) == 60
