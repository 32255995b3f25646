"""Calendar lengths: days and years are those of the calendar, whatever its clocks do."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import UTC, parse_zone
from hailwhale.core.time.calendar_length import days_in, years_in

HOUR_S = 3_600
ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Pacific/Apia", date(2011, 12, 29), 24),
    ],
)
def test_a_day_is_one_day_and_its_hours_are_shares_of_it(
    zone: str, day: date, hours: float
) -> None:
    grid = parse_zone(zone)
    begin_s, end_s = grid.day_start(day), grid.day_start(day + timedelta(days=1))
    assert end_s - begin_s == hours * HOUR_S
    assert days_in(grid, begin_s, end_s) == 1
    assert days_in(grid, begin_s, begin_s + HOUR_S) == 1 / Fraction(hours)


def test_a_skipped_date_is_no_day() -> None:
    apia = parse_zone("Pacific/Apia")  # there was no 30th of December in 2011
    begin_s, end_s = (apia.day_start(date(2011, 12, day)) for day in (1, 31))
    assert days_in(apia, begin_s, end_s) == 29
    ever = (apia.day_start(date(year, 1, 1)) for year in (1950, 2050))
    assert days_in(apia, *ever) == (date(2050, 1, 1) - date(1950, 1, 1)).days - 1


@pytest.mark.parametrize(("year", "days"), [(2024, 366), (2025, 365)])
def test_a_year_is_one_year_and_a_day_its_share_of_that_year(year: int, days: int) -> None:
    begin_s, end_s = (UTC.day_start(date(at, 1, 1)) for at in (year, year + 1))
    assert days_in(UTC, begin_s, end_s) == days
    assert years_in(UTC, begin_s, end_s) == 1
    assert years_in(UTC, begin_s, UTC.day_start(date(year, 1, 2))) == Fraction(1, days)


def test_what_ends_before_it_begins_is_nothing() -> None:
    assert not days_in(UTC, 86_400, 0)
    assert not years_in(UTC, 86_400, 0)


instants = st.integers(-1_500_000_000, 4_000_000_000)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.lists(instants, min_size=3, max_size=3))
def test_the_lengths_of_parts_add_up_to_that_of_the_whole(zone: str, at: list[int]) -> None:
    grid, (first, middle, last) = parse_zone(zone), sorted(at)
    for length in (days_in, years_in):
        assert length(grid, first, middle) + length(grid, middle, last) == length(grid, first, last)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 30_000), st.integers(1, 800))
def test_whole_days_are_as_many_as_there_are_dates(zone: str, start: int, count: int) -> None:
    grid, first = parse_zone(zone), date(1950, 1, 1) + timedelta(days=start)
    starts = {grid.day_start(first + timedelta(days=n)) for n in range(count + 1)}
    assert days_in(grid, min(starts), max(starts)) == len(starts) - 1
