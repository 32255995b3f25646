"""Ranges of dates and times: their text, and where they begin and end in a time zone.

Knows nothing of buckets and rollups. A range of dates includes both; a range of times ends at the
second one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hailwhale.core.time.calendar_grid import FIRST_YEAR, LAST_YEAR, Grid, Interval
from hailwhale.errors import BadInput

_ISO = r"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.0+)?)?)?)"
# A plus that was not percent-encoded arrives as a space.
_ISO_OFFSET = r"(Z|[-+ ][0-9]{2}:?[0-9]{2})?"
_ISO_RANGE = re.compile(rf"{_ISO}{_ISO_OFFSET}\s*\.\.\s*{_ISO}{_ISO_OFFSET}")
_US_DATE = r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})"
_US_RANGE = re.compile(rf"{_US_DATE}\s*-\s*{_US_DATE}")
_LONGEST_IN_MINUTES = timedelta(hours=3)
_LONGEST_IN_HOURS = timedelta(days=2)
_LONGEST_IN_DAYS = timedelta(days=400)
_FORM = (
    "dates that exist, such as 2026-01-01..2026-01-31, or times, such as "
    "2026-01-01T10:00..2026-01-01T12:00"
)


class TimeRange(NamedTuple):
    """A half-open range of time, in epoch seconds."""

    begin_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class DateRange:
    """Select a range of local times, or of instants if they have an offset from UTC.

    Buckets that overlap either end are cut there.
    """

    begin: datetime
    end: datetime

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> TimeRange:
        """Return where the range begins and ends in a time zone."""
        return TimeRange(_instant(grid, self.begin), _instant(grid, self.end))

    @property
    def is_of_days(self) -> bool:
        """Return whether it begins and ends with a local day."""
        ends = (self.begin, self.end)
        return all(end.tzinfo is None and end == _midnight(end) for end in ends)

    @property
    def interval(self) -> Interval:
        """Return the bucket width that suits the length if the caller names none."""
        length = self.end - self.begin
        within_hours = any(end.minute or end.second for end in (self.begin, self.end))
        if within_hours and length <= _LONGEST_IN_MINUTES:
            return Interval(1, "m")
        if length <= _LONGEST_IN_HOURS:
            return Interval(1, "h")
        return Interval(1, "d") if length <= _LONGEST_IN_DAYS else Interval(1, "mo")


def parse_range(text: str, parameter: str) -> DateRange | None:
    """Parse a range; return None if the text is not one.

    >>> found = parse_range("2026-01-01..2026-01-31", "period")
    >>> found.begin.isoformat(), found.end.isoformat()
    ('2026-01-01T00:00:00', '2026-02-01T00:00:00')
    >>> parse_range("2026-01-01T10:00..2026-01-01T12:00", "period").interval
    Interval(count=1, unit='h')
    """
    try:
        if found := _ISO_RANGE.fullmatch(text):
            first, offset, last, last_offset = found.groups()
            begin, end = _wall(first, offset), _wall(last, last_offset)
            whole_day = len(last) == len("2026-01-31")
        elif found := _US_RANGE.fullmatch(text):
            month, day, year, last_month, last_day, last_year = map(int, found.groups())
            begin, end = datetime(year, month, day), datetime(last_year, last_month, last_day)
            whole_day = True
        else:
            return None
    except ValueError as error:
        raise BadInput(parameter, text, _FORM) from error
    if (begin.tzinfo is None) is not (end.tzinfo is None):
        raise BadInput(parameter, text, "an offset from UTC at both ends, or at neither")
    if not FIRST_YEAR <= begin.year <= end.year <= LAST_YEAR or end < begin:
        expected = f"dates in order between the years {FIRST_YEAR} and {LAST_YEAR}"
        raise BadInput(parameter, text, expected)
    if whole_day:
        end += timedelta(days=1)
    if end == begin:
        raise BadInput(parameter, text, "a second time that is later than the first")
    return DateRange(begin, end)


def _wall(text: str, offset: str | None) -> datetime:
    """Return a local time, or an instant if there is an offset."""
    if offset and len(text) == len("2026-01-31"):
        raise ValueError("an offset after a date")
    return datetime.fromisoformat(text + (offset or "").replace(" ", "+"))


def _midnight(wall: datetime) -> datetime:
    return datetime.combine(wall.date(), datetime.min.time())


def _instant(grid: Grid, wall: datetime) -> int:
    if wall.tzinfo is not None:
        return int((wall - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return grid.instant(wall)
