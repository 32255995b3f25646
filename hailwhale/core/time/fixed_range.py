"""Periods with absolute bounds: the time between two instants, and the last complete buckets.

The last bucket of an ordinary period holds the current time and is incomplete. Comparing two time
ranges needs complete ones: `last_whole` returns the last complete buckets, `before` and
`week_before` return the ranges to compare them with. Knows nothing of what is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from hailwhale.core.time.calendar_grid import Grid, Interval
from hailwhale.core.time.date_ranges import TimeRange
from hailwhale.core.time.period import Period, Trailing

_WEEK = Interval(7, "d")


@dataclass(frozen=True, slots=True)
class FixedRange:
    """Select the buckets that begin within a range; if none does, the one that holds its end."""

    begin_s: int
    end_s: int

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> TimeRange:
        """Return the bounds of the absolute range, whatever `now_s` is (see `RangeSpec`)."""
        last_s = grid.floor(self.end_s - 1, interval)
        first_s = grid.floor(self.begin_s, interval)
        if first_s < self.begin_s:
            first_s = min(grid.next(first_s, interval), last_s)
        return TimeRange(first_s, grid.next(last_s, interval))


def last_whole(period: Period, grid: Grid, now_s: int) -> Period:
    """Return an interval:length period as its last complete buckets; other periods unchanged.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> hour = last_whole(Period.parse("1m:1h"), UTC, now_s=7_230)
    >>> hour.edges(UTC, 7_230)[0], hour.edges(UTC, 7_230)[-1]
    (3600, 7200)
    """
    if period.interval is None or not isinstance(period.reach, Trailing):
        return period
    end_s = grid.floor(now_s, period.interval)
    length = period.reach.length
    whole_days = period.interval.unit not in "smh"
    begin_s = grid.back(end_s, length.canonical if whole_days else length)
    return _spanning(period, grid.floor(begin_s, period.interval), end_s)


def before(period: Period, whole: Period, grid: Grid) -> Period:
    """Return the range of the same length directly before a `last_whole` period."""
    if not isinstance(whole.reach, FixedRange) or not isinstance(period.reach, Trailing):
        raise ValueError("only interval:length has a period before it")
    end_s = whole.reach.begin_s
    begin_s = grid.back(end_s, period.reach.length.canonical)
    return _spanning(period, begin_s, end_s)


def week_before(period: Period, whole: Period, grid: Grid) -> Period:
    """Return the same range seven days earlier, in local time.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> hour = Period.parse("1m:1h")
    >>> week_before(hour, last_whole(hour, UTC, 700_000), UTC).reach.end_s == 699_960 - 7 * 86_400
    True
    """
    if not isinstance(whole.reach, FixedRange):
        raise ValueError("only interval:length has the same period a week before")
    begin_s, end_s = (grid.back(at, _WEEK) for at in (whole.reach.begin_s, whole.reach.end_s))
    return _spanning(period, begin_s, end_s)


def _spanning(period: Period, begin_s: int, end_s: int) -> Period:
    return Period(period.text, period.interval, FixedRange(begin_s, end_s), period.zone_suffix)
