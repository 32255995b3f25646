"""Periods: what span a question covers, cut into which buckets, and which rollup answers it.

Owns the text of a period, the edges of its buckets and the choice of the stored rollup they are
composed from. Told the time grid and the instant; knows nothing of stores or of what is counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC as _UTC
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Protocol

from hailwhale.core.time.calendar_grid import (
    DAY_S,
    FIRST_YEAR,
    LAST_YEAR,
    SUPPORTED,
    Grid,
    Interval,
    parse_tzoffset,
)
from hailwhale.core.time.retention import retained
from hailwhale.core.time.rollups import Rollup
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
MAX_STORED_BUCKETS = 60_000

_FORM = (
    "interval:length in s m h d w mo y such as 1d:1mo, the length no shorter than the interval; "
    f"or one of {' '.join(NICKNAMES)}; or dates such as 2026-01-01..2026-01-31 or "
    "01/01/2026-01/31/2026, with an interval in front if wanted (1h:2026-01-01..2026-01-07)"
)
_MAX_TEXT = 64
_ISO_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_US_DATE = r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})"
_ISO_RANGE = re.compile(rf"{_ISO_DATE}\s*\.\.\s*{_ISO_DATE}")
_US_RANGE = re.compile(rf"{_US_DATE}\s*-\s*{_US_DATE}")
_MINUTE, _HOUR = Interval(1, "m"), Interval(1, "h")
_DAY, _WEEK, _MONTH, _YEAR = Interval(1, "d"), Interval(1, "w"), Interval(1, "mo"), Interval(1, "y")
_ADVISED = (
    *(_YEAR, _MONTH, _WEEK, _DAY, Interval(12, "h"), Interval(6, "h"), _HOUR),
    *(Interval(count, "m") for count in (30, 15, 5, 1)),
    *(Interval(count, "s") for count in (30, 10, 1)),
)


class RangeSpec(Protocol):
    """How a period finds its span."""

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> tuple[int, int]:
        """The first edge and the last, the same for every now within one bucket."""


@dataclass(frozen=True, slots=True)
class Trailing:
    """A length back from the end of the bucket that holds now."""

    length: Interval

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> tuple[int, int]:
        end_s = grid.next(grid.floor(now_s, interval), interval)
        whole_days = interval.unit not in "smh"
        length = self.length.canonical if whole_days else self.length
        return grid.floor(grid.back(end_s, length), interval), end_s


@dataclass(frozen=True, slots=True)
class ToDate:
    """From the start of the day, week, month or year that holds now to the end of now's bucket."""

    unit: Interval

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> tuple[int, int]:
        return grid.floor(now_s, self.unit), grid.next(grid.floor(now_s, interval), interval)


@dataclass(frozen=True, slots=True)
class DayBefore:
    """The whole local day before the one that holds now."""

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> tuple[int, int]:
        end_s = grid.floor(now_s, _DAY)
        return grid.floor(end_s - 1, _DAY), end_s


@dataclass(frozen=True, slots=True)
class DateRange:
    """Local dates, first and last included; buckets that stick out at either end are cut there."""

    first: date
    last: date

    def bounds(self, grid: Grid, interval: Interval, now_s: int) -> tuple[int, int]:
        return grid.day_start(self.first), grid.day_start(self.last + timedelta(days=1))

    @property
    def interval(self) -> Interval:
        """The width that suits the length when none is asked for."""
        days = (self.last - self.first).days + 1
        if days <= 2:
            return _HOUR
        return _DAY if days <= 400 else _MONTH


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
    """A question's span and the width of its buckets.

    `text` is the period as asked. `interval` and `reach` are None for `all`. `zone_suffix` is the
    zone of an ending such as ``|-500``, which goes before any other zone that is asked for.

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
        """Read any form of a period; anything else is `BadInput` that lists the forms."""
        asked = text.strip() if isinstance(text, str) else ""
        if not 0 < len(asked) <= _MAX_TEXT:
            raise BadInput(parameter, text, _FORM)
        body, bar, suffix = asked.partition("|")
        zone = parse_tzoffset(suffix, parameter) if bar else None
        interval, reach = _NAMED.get(body.strip()) or _read(body.strip(), parameter)
        return cls(asked, interval, reach, zone)

    @property
    def is_all(self) -> bool:
        """Whether this is everything ever, in one bucket that has no edges."""
        return self.reach is None

    def days(self, grid: Grid, edges: Sequence[int]) -> tuple[int, int] | None:
        """The edges of the whole days that it is of, however narrow its buckets, as of `today`.

        The day that holds now is whole, too: nothing of its rest is there yet. None when the period
        is not of days, as the last 24 hours.
        """
        if not isinstance(self.reach, ToDate | DayBefore | DateRange):
            return None
        return edges[0], grid.next(grid.floor(edges[-1] - 1, _DAY), _DAY)

    def edges(
        self, grid: Grid, now_s: int, max_points: int = MAX_POINTS, parameter: str = "period"
    ) -> tuple[int, ...]:
        """The n + 1 rising edges of the period's n half-open buckets.

        The last bucket holds now, except for dates and `yesterday`. Raises `BadInput` for more than
        `max_points` buckets, a span outside the supported years or dates the zone skipped, and
        ValueError for `all`, which has no edges.
        """
        if self.interval is None or self.reach is None:
            raise ValueError("the period all has no edges: ask is_all first")
        try:
            begin_s, end_s = self.reach.bounds(grid, self.interval, now_s)
            edges = _cut(grid, self.interval, begin_s, end_s, max_points)
        except BadInput as error:
            raise BadInput(parameter, self.text, SUPPORTED) from error
        if edges is None:
            raise BadInput(parameter, self.text, f"at most {max_points} points")
        if len(edges) < 2:
            raise BadInput(parameter, self.text, f"dates that {grid.name} did not skip")
        return edges


def _read(body: str, parameter: str) -> tuple[Interval, RangeSpec]:
    """The width and the span of a period that is not a nickname."""
    head, colon, tail = body.partition(":")
    dates = _dates(tail.strip() if colon else body, parameter)
    if not colon:
        if dates is None:
            raise BadInput(parameter, body, _FORM)
        return dates.interval, dates
    interval = Interval.parse(head, parameter).bucket(parameter)
    if dates is not None:
        return interval, dates
    length = Interval.parse(tail, parameter)
    if length.canonical.nominal_s < interval.nominal_s:
        raise BadInput(parameter, body, _FORM)
    return interval, Trailing(length)


def _dates(text: str, parameter: str) -> DateRange | None:
    """The dates of a range, None when the text is no range at all."""
    if found := _ISO_RANGE.fullmatch(text):
        year, month, day, last_year, last_month, last_day = map(int, found.groups())
    elif found := _US_RANGE.fullmatch(text):
        month, day, year, last_month, last_day, last_year = map(int, found.groups())
    else:
        return None
    try:
        first, last = date(year, month, day), date(last_year, last_month, last_day)
    except ValueError as error:
        raise BadInput(parameter, text, "dates that exist") from error
    if not FIRST_YEAR <= first.year <= last.year <= LAST_YEAR or last < first:
        expected = f"dates in order between the years {FIRST_YEAR} and {LAST_YEAR}"
        raise BadInput(parameter, text, expected)
    return DateRange(first, last)


@lru_cache(maxsize=128)
def _cut(
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


def select_rollup(
    edges: tuple[int, ...],
    rollups: Sequence[Rollup],
    store_grid: Grid,
    now_s: int,
    since: Mapping[str, int] | None = None,
    parameter: str = "period",
    asked: str | None = None,
) -> Rollup:
    """The stored rollup whose buckets compose a period's: the coarsest that can.

    Every edge must be the start of one of its buckets (that alone settles other time zones,
    half-hour offsets and clock changes), its bucket at the first edge must still be kept, and it
    must have been filled since before that (`since`: epoch seconds by rollup name, absent = from
    the beginning). If there is none, `BadInput` says what is missing; `asked` is the period's text.

    >>> from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> edges = Period.parse("1d:1mo").edges(UTC, now_s=1_767_225_600)
    >>> select_rollup(edges, DEFAULT_ROLLUPS, UTC, now_s=1_767_225_600).name
    '1d'
    """
    since = since or {}
    fitting = [r for r in rollups if r.interval and _fits(edges, r.interval, store_grid)]
    kept = [r for r in fitting if retained(store_grid, r, edges[0], now_s)]
    filled = [r for r in kept if since.get(r.name, edges[0]) <= edges[0]]
    if filled:
        return max(filled, key=_width_s)
    got = asked or f"{_utc_text(edges[0])}..{_utc_text(edges[-1])}"
    if kept:
        earliest = min(kept, key=lambda r: since[r.name])
        filled_since = f"{_utc_text(since[earliest.name])}, when its {earliest.name} buckets began"
        raise BadInput(parameter, got, f"a period that begins after {filled_since}")
    needed = _missing(edges, rollups, store_grid, now_s)
    expected = f"a period that the stored rollups compose: {needed}"
    if fitting:
        longest = max(fitting, key=lambda r: r.retention_s or 0)
        expected += f"; the {longest.name} buckets reach back only {longest.retention}"
    raise BadInput(parameter, got, expected)


def stored_buckets(
    edges: tuple[int, ...], rollup: Rollup, store_grid: Grid, parameter: str = "period"
) -> tuple[int, ...]:
    """The starts of a rollup's buckets in a period, in order, for the caller to fold.

    `edges` are starts of the rollup's buckets, as `select_rollup` sees to. More than 60,000 are
    `BadInput`.
    """
    if rollup.interval is None:
        raise ValueError("the rollup all has no buckets to fold")
    found = _cut(store_grid, rollup.interval, edges[0], edges[-1], MAX_STORED_BUCKETS)
    if found is None:
        got = f"{_utc_text(edges[0])}..{_utc_text(edges[-1])} from {rollup.name} buckets"
        raise BadInput(parameter, got, f"a period of at most {MAX_STORED_BUCKETS} stored buckets")
    return found[:-1]


@lru_cache(maxsize=512)
def _fits(edges: tuple[int, ...], interval: Interval, store_grid: Grid) -> bool:
    return all(store_grid.floor(edge_s, interval) == edge_s for edge_s in edges)


def _width_s(rollup: Rollup) -> int:
    return rollup.interval.nominal_s if rollup.interval else 0


def _missing(
    edges: tuple[int, ...], rollups: Sequence[Rollup], store_grid: Grid, now_s: int
) -> str:
    """The rollup that would answer, had it been there: if possible one that can still be added.

    A store cannot change a rollup that it has, so its intervals are passed over.
    """
    fitting = [interval for interval in _ADVISED if _fits(edges, interval, store_grid)]
    taken = {rollup.interval for rollup in rollups}
    interval = next((interval for interval in fitting if interval not in taken), fitting[0])
    age_s = max(now_s - edges[0], interval.nominal_s)
    hours, days, years = (-(-age_s // size_s) for size_s in (3_600, DAY_S, 366 * DAY_S))
    length = f"{hours}h" if hours <= 48 else f"{days}d" if days <= 732 else f"{years}y"
    return f"it needs a rollup of {interval} kept for {length} (HAILWHALE_ROLLUPS)"


def _utc_text(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, _UTC):%Y-%m-%dT%H:%MZ}"
