"""Calendar lengths: how many days and years a span has in a time zone.

The calendar counts, not the clock: every day is 1, whether it has 23, 24 or 25 hours, and part of a
day is its share of that day. A date that the zone skipped is none. All instants are whole epoch
seconds.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hailwhale.core.time.calendar_grid import DAY_S, Grid, Interval

_DAY = Interval(1, "d")
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_YEAR_DAYS = 366
_LARGEST_CHANGE_S = 20 * 3_600  # of clocks, except where a date is skipped


def days_in(grid: Grid, begin_s: int, end_s: int) -> Fraction:
    """Return the number of days in a span; 0 if it ends before it begins.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> days_in(UTC, 0, 36 * 3_600)
    Fraction(3, 2)
    """
    if end_s <= begin_s:
        return Fraction(0)
    first, last = grid.serial(begin_s, _DAY), grid.serial(end_s, _DAY)
    return _day_place(grid, end_s) - _day_place(grid, begin_s) - _skipped(grid, first, last)


def years_in(grid: Grid, begin_s: int, end_s: int) -> Fraction:
    """Return the number of years in a span: a day is its share of its own year.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> years_in(UTC, 0, 365 * DAY_S), years_in(UTC, 1_704_067_200, 1_704_067_200 + 366 * DAY_S)
    (Fraction(1, 1), Fraction(1, 1))
    """
    if end_s <= begin_s:
        return Fraction(0)
    return _year_place(grid, end_s) - _year_place(grid, begin_s)


def _day_place(grid: Grid, at_s: int) -> Fraction:
    """Return an instant as days since 1970-01-01, with the part of its day that has passed."""
    day, start_s = grid.serial(at_s, _DAY), grid.floor(at_s, _DAY)
    if at_s == start_s:
        return Fraction(day)
    return day + Fraction(at_s - start_s, grid.next(start_s, _DAY) - start_s)


def _year_place(grid: Grid, at_s: int) -> Fraction:
    """Return an instant as a year, with the part of the year that has passed."""
    place = _day_place(grid, at_s)
    year = date.fromordinal(int(place // 1) + _EPOCH_ORDINAL).year
    first, last = (date(each, 1, 1).toordinal() - _EPOCH_ORDINAL for each in (year, year + 1))
    return year + (place - first) / (last - first)


def _skipped(grid: Grid, first: int, last: int) -> int:
    """Return how many of the days from `first` to before `last` do not exist in a zone.

    Only spans of up to a year that are shorter than their days are searched, by halves.
    """
    days = last - first
    if days > _YEAR_DAYS:
        starts = range(first, last, _YEAR_DAYS)
        return sum(_skipped(grid, start, min(start + _YEAR_DAYS, last)) for start in starts)
    if days <= 0:
        return 0
    length_s = _start_s(grid, last) - _start_s(grid, first)
    if days == 1:
        return int(length_s == 0)
    if length_s > days * DAY_S - _LARGEST_CHANGE_S:
        return 0
    middle = first + days // 2
    return _skipped(grid, first, middle) + _skipped(grid, middle, last)


def _start_s(grid: Grid, day: int) -> int:
    return grid.day_start(date.fromordinal(day + _EPOCH_ORDINAL))
