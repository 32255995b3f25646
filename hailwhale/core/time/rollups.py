"""Rollups: the stored resolutions, their retention, and the chunks that hold their buckets.

Defines the text of a rollup (``1m:2h``, ``all``) and chunks. A store keeps the buckets of a rollup
in groups, one for each bucket of a larger calendar unit, so a group is one key and expires as a
whole; `retention` computes when. Knows the time grid; nothing of stores, events or queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from hailwhale.core.time.calendar_grid import DAY_S, UNIT_S, Grid, Interval
from hailwhale.errors import BadInput

MAX_ROLLUPS = 16

_ROLLUP_FORM = "an interval and how long it is kept, such as 1h:35d, or all"
_CHUNKS = (
    Interval(1, "m"),
    Interval(1, "h"),
    Interval(1, "d"),
    Interval(1, "mo"),
    Interval(1, "y"),
    Interval(100, "y"),
)
_LONGEST_S = {**UNIT_S, "mo": 31 * DAY_S, "y": 366 * DAY_S}
_CLOCK_SET_BACK_S = 2 * UNIT_S["h"]  # the most that a season makes a calendar length longer


@dataclass(frozen=True, slots=True)
class Rollup:
    """A stored resolution and its retention; both are None for `all`, the ever-growing total.

    >>> Rollup.parse("60m:35d").spec
    '1h:35d'
    """

    interval: Interval | None
    retention: Interval | None

    @classmethod
    def parse(cls, text: str, parameter: str = "rollups") -> Rollup:
        """Parse a rollup; its interval becomes canonical, so 24h is stored as 1d."""
        if not isinstance(text, str):
            raise BadInput(parameter, text, _ROLLUP_FORM)
        if text.strip() == "all":
            return ALL
        head, colon, tail = text.partition(":")
        if not colon:
            raise BadInput(parameter, text, _ROLLUP_FORM)
        interval = Interval.parse(head, parameter).bucket(parameter)
        retention = Interval.parse(tail, parameter)
        if interval.nominal_s >= _CHUNKS[-1].nominal_s:
            raise BadInput(parameter, text, "an interval of less than 100 years")
        if retention.canonical.nominal_s < interval.nominal_s:
            raise BadInput(parameter, text, "a retention of at least the interval")
        return cls(interval, retention)

    @property
    def name(self) -> str:
        """Return the name under which the rollup's cells are stored: ``1h``, ``all``."""
        return "all" if self.interval is None else str(self.interval)

    @property
    def spec(self) -> str:
        """Return the text from which `parse` creates an equal rollup: ``1h:35d``, ``all``."""
        return self.name if self.retention is None else f"{self.name}:{self.retention}"

    @property
    def retention_s(self) -> int | None:
        """Return the seconds a bucket is kept after its end, or None if it never expires.

        They are never fewer than on the calendar: months count 31 days, years 366, and lengths of
        days or more have two hours added in case a clock is set back meanwhile.
        """
        if self.retention is None:
            return None
        elapsed = self.retention.unit in "smh"
        longest_s = self.retention.count * _LONGEST_S[self.retention.unit]
        return longest_s if elapsed else longest_s + _CLOCK_SET_BACK_S


@dataclass(frozen=True, slots=True)
class Chunk:
    """The location of a bucket: the group that begins at `start_s`, and its `index` in it.

    `end_s` is the end of the last bucket of the group, which may reach past the calendar unit (a
    week that begins in December); None for the one chunk of `all`.
    """

    start_s: int
    end_s: int | None
    index: int


ALL = Rollup(None, None)
DEFAULT_ROLLUPS = (
    Rollup(Interval(1, "m"), Interval(2, "h")),
    Rollup(Interval(1, "h"), Interval(35, "d")),
    Rollup(Interval(1, "d"), Interval(3, "y")),
    ALL,
)


def parse_rollups(text: str | Sequence[str], parameter: str = "rollups") -> tuple[Rollup, ...]:
    """Parse a set of rollups; return them finest first, `all` last, even if it is not named.

    Takes a list, or one text separated by commas or spaces. Two of the same interval, none at all
    or more than 16 are `BadInput`.

    >>> [rollup.spec for rollup in parse_rollups("1h:35d, 1m:2h")]
    ['1m:2h', '1h:35d', 'all']
    """
    expected = f"1 to {MAX_ROLLUPS} rollups of different intervals, such as 1m:2h, 1h:35d, 1d:3y"
    parts = text.replace(",", " ").split() if isinstance(text, str) else text
    if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= MAX_ROLLUPS:
        raise BadInput(parameter, text, expected)
    found = [Rollup.parse(part, parameter) for part in parts]
    if len({rollup.interval for rollup in found}) < len(found):
        raise BadInput(parameter, text, expected)
    return tuple(sorted({*found, ALL}, key=_width))


def _width(rollup: Rollup) -> tuple[float, str]:
    return rollup.interval.nominal_s if rollup.interval else math.inf, rollup.name


@lru_cache(maxsize=4_096)
def chunk_of(grid: Grid, rollup: Rollup, bucket_start_s: int) -> Chunk:
    """Return the chunk of the bucket of `rollup` that begins at `bucket_start_s`.

    It is the chunk that contains the bucket's start. The index is unique in it. Sub-day buckets in
    a chunk start whole intervals apart, since their chunks are at most a day long and they restart
    each day. Longer buckets have the difference of their number on the calendar and that of the
    bucket that contains the chunk's start.
    """
    if rollup.interval is None:
        return Chunk(0, None, 0)
    unit = chunk_interval(rollup.interval)
    start_s = grid.floor(bucket_start_s, unit)
    last_start_s = grid.floor(grid.next(start_s, unit) - 1, rollup.interval)
    if rollup.interval.unit in "smh":
        index = (bucket_start_s - start_s) // rollup.interval.nominal_s
    else:
        index = grid.serial(bucket_start_s, rollup.interval) - grid.serial(start_s, rollup.interval)
    return Chunk(start_s, grid.next(last_start_s, rollup.interval), index)


@lru_cache(maxsize=64)
def chunk_interval(interval: Interval) -> Interval:
    """Return the first larger unit; years for weeks, because months do not divide into weeks."""
    larger = _CHUNKS[4:] if interval.unit == "w" else _CHUNKS
    return next(unit for unit in larger if unit.nominal_s > interval.nominal_s)
