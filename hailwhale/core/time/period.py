"""Periods: the time range of a question and its division into buckets.

Defines the text of a period and the edges of its buckets. The time grid and the current time are
arguments. Knows nothing of rollups, stores or what is counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Protocol

from hailwhale.core.time.calendar_grid import (
    SUPPORTED,
    Grid,
    Interval,
    parse_tzoffset,
)
from hailwhale.core.time.date_ranges import DateRange, TimeRange, parse_range
from hailwhale.errors import BadInput

DEFAULT = "1d:1mo"
DEFAULT_TOTALS = ("1d:1y", "1d:1mo", "1d:1w", "1h:1d", "1m:1h")
NICKNAMES: Mapping[str, str] = {
    "hour": "1m, the last hour",
    "day": "1h, the last day",
    "seven": "1d, the last 7 days",
    "thirty": "1d, the last 30 days",
    "year": "1d, the last year",
    "today": "1h, since midnight",
    "yesterday": "1h, the day before today",
    "wtd": "1d, since Monday",
    "mtd": "1d, since the 1st",
    "ytd": "1d, since January 1st",
    "all": "everything ever, in one bucket",
}
MAX_POINTS = 10_000

_FORM = (
    "interval:length in s m h d w mo y such as 1d:1mo, with a length of at least the interval; "
    f"one of {' '.join(NICKNAMES)}; or dates such as 2026-01-01..2026-01-31 or "
    "01/01/2026-01/31/2026, or times such as 2026-01-01T10:00..2026-01-01T12:00, optionally after "
    "an interval (1h:2026-01-01..2026-01-07)"
)
_MAX_TEXT = 80
_FEWER = "; ask for a wider interval or a shorter period (HAILWHALE_MAX_POINTS)"
_WITH_INTERVAL = re.compile(r"([0-9a-z]+)\s*:(.*)", re.DOTALL)
_LENGTH = re.compile(
    r"([1-9][0-9]{0,5})?\s*(?:(s|sec|seconds?)|(m|min|minutes?)|(h|hrs?|hours?)|(d|days?)|(w|weeks?)"
    r"|(mo|mon|months?)|(y|yrs?|years?))",
    re.IGNORECASE,
)
_FOR_LENGTHS = ("1s:{}s", "1m:{}m", "1m:{}h", "1h:{}d", "1d:{}w", "1d:{}mo", "1mo:{}y")
_MINUTE, _HOUR = Interval(1, "m"), Interval(1, "h")
_DAY, _WEEK, _MONTH, _YEAR = Interval(1, "d"), Interval(1, "w"), Interval(1, "mo"), Interval(1, "y")


class RangeSpec(Protocol):
    """Describe how a period finds its time range."""

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> TimeRange:
        """Return the first and last edge; the result is constant within one bucket."""


@dataclass(frozen=True, slots=True)
class Trailing:
    """Select a length that ends with the bucket that holds now."""

    length: Interval

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> TimeRange:
        end_s = grid.next(grid.floor(now_s, interval), interval)
        whole_days = interval.unit not in "smh"
        length = self.length.canonical if whole_days else self.length
        return TimeRange(grid.floor(grid.back(end_s, length), interval), end_s)


@dataclass(frozen=True, slots=True)
class ToDate:
    """Select from the start of the current day, week, month or year to the current bucket's end."""

    unit: Interval

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> TimeRange:
        end_s = grid.next(grid.floor(now_s, interval), interval)
        return TimeRange(grid.floor(now_s, self.unit), end_s)


@dataclass(frozen=True, slots=True)
class DayBefore:
    """Select the complete local day before today."""

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> TimeRange:
        end_s = grid.floor(now_s, _DAY)
        return TimeRange(grid.floor(end_s - 1, _DAY), end_s)


_NAMED: Mapping[str, tuple[Interval | None, RangeSpec | None]] = {
    "hour": (_MINUTE, Trailing(_HOUR)),
    "day": (_HOUR, Trailing(_DAY)),
    "seven": (_DAY, Trailing(Interval(7, "d"))),
    "thirty": (_DAY, Trailing(Interval(30, "d"))),
    "year": (_DAY, Trailing(_YEAR)),
    "today": (_HOUR, ToDate(_DAY)),
    "yesterday": (_HOUR, DayBefore()),
    "wtd": (_DAY, ToDate(_WEEK)),
    "mtd": (_DAY, ToDate(_MONTH)),
    "ytd": (_DAY, ToDate(_YEAR)),
    "all": (None, None),
}


@dataclass(frozen=True, slots=True)
class Period:
    """A question's span and the width of its buckets; accepted wherever a period is asked.

    Attributes:
        text: The period as it was asked; it is the key of `Whale.totals`.
        interval: The width of a bucket; None for `all`.
        reach: How the span is found; None for `all`.
        zone_suffix: The zone of an ending such as ``|-500``, which overrides any other zone.

    >>> period = Period.parse("1d:1w")
    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> len(period.edges(UTC, now_s=1_767_225_600))
    8
    """

    text: str
    interval: Interval | None
    reach: RangeSpec | None
    zone_suffix: Grid | None = None

    @classmethod
    def parse(cls, text: str, parameter: str = "period") -> Period:
        """Read a period from its text.

        Args:
            text: An interval and a length such as "1d:1mo", a name such as "today" (see
                `hailwhale.periods.NICKNAMES`), or dates such as "2026-01-01..2026-01-31".
            parameter: The name that an error has for the text.

        Returns:
            The period. Its edges depend on the time at which it is asked.

        Raises:
            BadInput: The text is no period; the message lists the forms.

        Example:
            >>> from hailwhale import Period
            >>> str(Period.parse("1d:1mo").interval)
            '1d'
        """
        asked = text.strip() if isinstance(text, str) else ""
        if not 0 < len(asked) <= _MAX_TEXT:
            raise BadInput(parameter, text, _FORM)
        body, bar, suffix = asked.partition("|")
        zone = parse_tzoffset(suffix, parameter) if bar else None
        interval, reach = _NAMED.get(body.strip()) or _read(body.strip(), parameter)
        return cls(asked, interval, reach, zone)

    @property
    def is_all(self) -> bool:
        """Return whether the period is `all`: one bucket without edges."""
        return self.reach is None

    def days(self, grid: Grid, edges: Sequence[int]) -> TimeRange | None:
        """Find the edges of the whole days that the period covers, however narrow its buckets.

        The day that holds now is whole, too, for nothing of its rest is there yet.

        Args:
            grid: The calendar of a time zone.
            edges: The edges of the period's buckets, as `edges` returns them.

        Returns:
            The first edge and the last, in epoch seconds; None when the period is not of days, such
            as the last 24 hours.

        Example:
            >>> from hailwhale.core.time.calendar_grid import UTC
            >>> today = Period.parse("today")
            >>> today.days(UTC, today.edges(UTC, now_s=1_773_576_630))
            TimeRange(begin_s=1773532800, end_s=1773619200)
        """
        if isinstance(self.reach, DateRange) and not self.reach.is_of_days:
            return None
        if not isinstance(self.reach, ToDate | DayBefore | DateRange):
            return None
        return TimeRange(edges[0], grid.next(grid.floor(edges[-1] - 1, _DAY), _DAY))

    def edges(
        self, grid: Grid, now_s: int, max_points: int = MAX_POINTS, parameter: str = "period"
    ) -> tuple[int, ...]:
        """Find the edges of the period's buckets at an instant.

        The last bucket holds that instant, except for dates and "yesterday".

        Args:
            grid: The calendar of a time zone.
            now_s: The instant, in epoch seconds.
            max_points: The most buckets that there may be.
            parameter: The name that an error has for the period.

        Returns:
            The n + 1 rising edges of n half-open buckets, in epoch seconds.

        Raises:
            BadInput: There are more buckets than `max_points`, the span is outside the supported
                years, or the zone skipped the dates.
            ValueError: The period is `all`, which has no edges.

        Example:
            >>> from hailwhale.core.time.calendar_grid import UTC
            >>> Period.parse("1h:2h").edges(UTC, now_s=1_773_576_630)
            (1773572400, 1773576000, 1773579600)
        """
        if self.interval is None or self.reach is None:
            raise ValueError("the period all has no edges: check is_all first")
        try:
            begin_s, end_s = self.reach.bounds(grid, self.interval, now_s)
            edges = cut_edges(grid, self.interval, begin_s, end_s, max_points)
        except BadInput as error:
            raise BadInput(parameter, self.text, SUPPORTED) from error
        if edges is None:
            raise BadInput(parameter, self.text, f"at most {max_points} points{_FEWER}")
        if len(edges) < 2:
            raise BadInput(parameter, self.text, f"dates that exist in {grid.name}")
        return edges


def _read(body: str, parameter: str) -> tuple[Interval, RangeSpec]:
    """Parse the interval and the range of a period that is not a nickname."""
    if dates := parse_range(body, parameter):
        return dates.interval, dates
    found = _WITH_INTERVAL.fullmatch(body)
    dates = parse_range(found[2].strip(), parameter) if found else None
    head, colon, tail = body.partition(":")
    if not colon or (".." in body and dates is None):
        raise BadInput(parameter, body, _suggested(body) + _FORM)
    interval = Interval.parse(head, parameter).bucket(parameter)
    if dates is not None:
        return interval, dates
    length = Interval.parse(tail, parameter)
    if length.canonical.nominal_s < interval.nominal_s:
        raise BadInput(parameter, body, _FORM)
    return interval, Trailing(length)


def _suggested(body: str) -> str:
    """Return the period that was probably meant by a length alone, such as 1week."""
    found = _LENGTH.fullmatch(body)
    if found is None:
        return ""
    count, *units = found.groups()
    [pattern] = [each for each, unit in zip(_FOR_LENGTHS, units, strict=True) if unit]
    return f"{pattern.format(count or 1)} for example: "


@lru_cache(maxsize=128)
def cut_edges(
    grid: Grid, interval: Interval, begin_s: int, end_s: int, most: int
) -> tuple[int, ...] | None:
    """The edges of a span's buckets, None when there are more than `most` of them.

    A span with far too many is refused by its length: n buckets together are no longer than n + 1
    of nominal width and a thirtieth. One with a few too many is refused when the limit is passed.
    """
    if (end_s - begin_s) * 30 > (most + 1) * interval.nominal_s * 31:
        return None
    starts = tuple(islice(grid.starts(begin_s, end_s, interval), most + 1))
    return None if len(starts) > most else (*starts, end_s)
