"""Buckets and periods of a time zone's calendar, computed from its offsets alone.

Clocks are set at whole minutes, and nearly always at whole quarters of an hour.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY_S, QUARTER_S, MINUTE_S, FARTHEST_S = 86_400, 900, 60, 16 * 3_600
SIZES_S = {"s": 1, "m": 60, "h": 3_600}
MONDAY = 4  # 1970-01-05, in days since 1970-01-01

Interval = tuple[int, str]  # such as (5, "m") or (1, "mo")


class Calendar:
    """The calendar of a time zone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)
        self.day_start = lru_cache(maxsize=100_000)(self._day_start)

    def offset_s(self, at_s: int) -> int:
        offset = datetime.fromtimestamp(at_s, self._zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())

    def instant(self, wall_s: int) -> int:
        """The first instant at which the clock shows a local time or a later one."""
        start_s = (wall_s - FARTHEST_S) // QUARTER_S * QUARTER_S
        while True:
            size_s = QUARTER_S
            if start_s % QUARTER_S or self._is_set_within(start_s):
                size_s = MINUTE_S
            at_s = max(start_s, wall_s - self.offset_s(start_s))
            if at_s < start_s + size_s:
                return at_s
            start_s += size_s

    def _is_set_within(self, start_s: int) -> bool:
        return self.offset_s(start_s) != self.offset_s(start_s + QUARTER_S - MINUTE_S)

    def _day_start(self, day: int) -> int:
        return self.instant(day * DAY_S)

    def day_of(self, at_s: int) -> int:
        """The last day that has begun, in days since 1970-01-01."""
        day = at_s // DAY_S + 2
        while self.day_start(day) > at_s:
            day -= 1
        return day

    def date_of(self, at_s: int) -> date:
        return date.fromordinal(date(1970, 1, 1).toordinal() + self.day_of(at_s))

    def _number(self, interval: Interval, at_s: int) -> int:
        count, unit = interval
        day = self.day_of(at_s)
        if unit == "d":
            return day // count
        if unit == "w":
            return (day - MONDAY) // 7 // count
        found = self.date_of(at_s)
        return (found.year * 12 + found.month - 1) // count

    def _start(self, interval: Interval, number: int) -> int:
        count, unit = interval
        if unit == "d":
            return self.day_start(number * count)
        if unit == "w":
            return self.day_start(number * count * 7 + MONDAY)
        year, month = divmod(number * count, 12)
        return self.day_start(days_of(date(year, month + 1, 1)))

    def floor(self, at_s: int, interval: Interval) -> int:
        """The start of the bucket that holds an instant."""
        count, unit = interval
        if unit in SIZES_S:
            day_s = self.day_start(self.day_of(at_s))
            return at_s - (at_s - day_s) % (count * SIZES_S[unit])
        return self._start(interval, self._number(interval, at_s))

    def after(self, at_s: int, interval: Interval) -> int:
        """The end of the bucket that holds an instant."""
        count, unit = interval
        if unit in SIZES_S:
            next_day_s = self.day_start(self.day_of(at_s) + 1)
            return min(self.floor(at_s, interval) + count * SIZES_S[unit], next_day_s)
        number = self._number(interval, at_s) + 1
        while self._start(interval, number) <= at_s:
            number += 1
        return self._start(interval, number)

    def edges(self, begin_s: int, end_s: int, interval: Interval) -> list[int]:
        """The edges of the buckets of a span; those that reach past an end are cut there."""
        edges = [begin_s]
        while (next_s := self.after(edges[-1], interval)) < end_s:
            edges.append(next_s)
        return [*edges, end_s]


def days_of(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def wall_of(day: date, hour: int = 0, minute: int = 0) -> int:
    """A local time in seconds since 1970-01-01 00:00 on the same clock."""
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp())
