"""Buckets on the calendar of a time zone: where each begins, where it ends, and steps between them.

Owns what an interval is and which half-open bucket ``[start, end)`` holds an instant; knows nothing
of rollups, periods or counting. All instants are whole epoch seconds. The rules:

- A day begins at its local midnight: the first one where the clock shows midnight twice, the first
  instant of the date where midnight does not exist. A date that a zone skipped is empty and never
  appears.
- Buckets shorter than a day count elapsed seconds from the start of the day, and the day's end cuts
  the last one: 6h buckets on a day of 25 hours end with one of a single hour.
- n-day buckets count from 1970-01-01, n-week buckets from Monday 1970-01-05, n-month buckets from
  January of year 0, n-year buckets from year 0.

Every bucket of days or longer has a number on the calendar (its *serial*); all else follows from
that and from `_day_start`, the only place that meets a clock change.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC as _UTC
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from hailwhale.errors import BadInput

DAY_S = 86_400
UNIT_S = {
    "s": 1,
    "m": 60,
    "h": 3_600,
    "d": DAY_S,
    "w": 7 * DAY_S,
    "mo": 30 * DAY_S,
    "y": 365 * DAY_S,
}
MAX_COUNT = 100_000
FIRST_YEAR, LAST_YEAR = 1900, 2200
SUPPORTED = f"a time between the years {FIRST_YEAR} and {LAST_YEAR}"

_EPOCH = datetime(1970, 1, 1, tzinfo=_UTC)
_EPOCH_ORDINAL = _EPOCH.toordinal()
_CENTURY_S = 100 * UNIT_S["y"]
_SECOND = timedelta(seconds=1)
_INTERVAL = re.compile(r"([1-9][0-9]{0,5})(mo|[smhdwy])")
_LARGER = (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "d"), ("mo", 12, "y"))
_INTERVAL_FORM = "a number and a unit of s m h d w mo y, such as 5m or 1mo"


@dataclass(frozen=True, slots=True)
class Interval:
    """A width on the calendar: a count of 1 to 100,000 and a unit, s m h d w mo y.

    >>> Interval.parse("5m")
    Interval(count=5, unit='m')
    >>> str(Interval(1, "mo"))
    '1mo'
    """

    count: int
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNIT_S or not 1 <= self.count <= MAX_COUNT:
            raise BadInput("interval", f"{self.count}{self.unit}", _INTERVAL_FORM)

    @classmethod
    def parse(cls, text: str, parameter: str = "period") -> Interval:
        """Read an interval such as ``5m``; anything else is `BadInput` at `parameter`."""
        found = _INTERVAL.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None or int(found[1]) > MAX_COUNT:
            raise BadInput(parameter, text, _INTERVAL_FORM)
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def nominal_s(self) -> int:
        """Seconds with months of 30 days and years of 365: for bounds and for ordering only."""
        return self.count * UNIT_S[self.unit]

    @property
    def canonical(self) -> Interval:
        """The interval of the same buckets in the largest unit: 60m is 1h, 24h is 1d, 12mo is 1y.

        Seven days stay seven days: weeks begin on Mondays, n-day buckets do not.
        """
        count, unit = self.count, self.unit
        for smaller, size, larger in _LARGER:
            if unit == smaller and count % size == 0:
                count, unit = count // size, larger
        return Interval(count, unit)

    def bucket(self, parameter: str = "period") -> Interval:
        """This interval, canonical, if time can be cut into buckets of it; else `BadInput`."""
        interval = self.canonical
        if interval.unit in "smh" and interval.nominal_s > DAY_S:
            raise BadInput(parameter, str(self), "whole days, or a sub-day interval up to 24h")
        if interval.nominal_s > _CENTURY_S:
            raise BadInput(parameter, str(self), "an interval of up to 100 years")
        return interval


@dataclass(frozen=True, slots=True)
class Grid:
    """The calendar of one time zone. `name` is canonical: equal grids have equal names.

    Instants outside the years 1900 to 2200 are `BadInput` at the parameter the caller names.

    >>> UTC.floor(1_767_225_725, Interval(1, "h"))
    1767225600
    """

    zone: tzinfo
    name: str

    def floor(self, at_s: int, interval: Interval, parameter: str = "at") -> int:
        """The start of the bucket that holds an instant."""
        if not MIN_S <= at_s < MAX_S:
            raise BadInput(parameter, at_s, SUPPORTED)
        unit, size = _shape(interval)
        if unit == "s":
            day_start_s = _day_start(self.zone, _day(self.zone, at_s))
            return at_s - (at_s - day_start_s) % size
        return _start(self.zone, unit, size, _serial(self.zone, unit, size, at_s))

    def next(self, start_s: int, interval: Interval, parameter: str = "at") -> int:
        """The end of the bucket that begins at `start_s`: the start of the next one not empty."""
        if not MIN_S - 2 * _CENTURY_S <= start_s < MAX_S + 2 * _CENTURY_S:
            raise BadInput(parameter, start_s, SUPPORTED)
        unit, size = _shape(interval)
        if unit == "s":
            return min(start_s + size, _day_start(self.zone, _day(self.zone, start_s) + 1))
        serial = _serial(self.zone, unit, size, start_s) + 1
        while (end_s := _start(self.zone, unit, size, serial)) <= start_s:
            serial += 1
        return end_s

    def back(self, edge_s: int, length: Interval, parameter: str = "at") -> int:
        """Step a length back from an edge: elapsed time for s, m and h, else on the calendar.

        A day back is the same time of day; a month back is the same day of the month, or the
        month's last. A time of day that does not exist is the end of the gap, one that comes twice
        is the first of them. The edge counts as the end of what is before it, so the midnight that
        ends a day is that day's even where the next date was skipped.
        """
        if not MIN_S <= edge_s < MAX_S:
            raise BadInput(parameter, edge_s, SUPPORTED)
        if length.unit in "smh":
            return edge_s - length.nominal_s
        wall = _local(self.zone, edge_s - 1) + _SECOND
        return _instant(self.zone, datetime.combine(_date_back(wall.date(), length), wall.time()))

    def starts(self, begin_s: int, end_s: int, interval: Interval) -> Iterator[int]:
        """`begin_s` and then each later bucket start that is before `end_s`, in order."""
        start_s = self.floor(begin_s, interval)
        while begin_s < end_s:
            yield begin_s
            begin_s = start_s = self.next(start_s, interval)

    def days_in_month(self, at_s: int) -> int:
        """The days of the calendar month that holds an instant."""
        local = date.fromordinal(_day(self.zone, at_s) + _EPOCH_ORDINAL)
        return monthrange(local.year, local.month)[1]

    def day_start(self, day: date) -> int:
        """The first instant of a local date; of a date that was skipped, that of the next one."""
        return _day_start(self.zone, day.toordinal() - _EPOCH_ORDINAL)

    def serial(self, at_s: int, interval: Interval) -> int:
        """The number on the calendar of the bucket of days or longer that holds an instant.

        Later buckets have larger numbers, neighbours differ by one unless a date was skipped.
        """
        unit, size = _shape(interval)
        if unit == "s":
            raise BadInput("interval", str(interval), "an interval of a day or longer")
        return _serial(self.zone, unit, size, at_s)


@lru_cache(maxsize=1_024)
def _shape(interval: Interval) -> tuple[str, int]:
    """An interval as what buckets are made of: a number of seconds, days, weeks or months."""
    canonical = interval.bucket("interval")
    if canonical.unit in "smh":
        return "s", canonical.nominal_s
    if canonical.unit == "y":
        return "mo", 12 * canonical.count
    return canonical.unit, canonical.count


def _serial(zone: tzinfo, unit: str, size: int, at_s: int) -> int:
    day = _day(zone, at_s)
    if unit == "d":
        return day // size
    if unit == "w":
        return (day - 4) // 7 // size
    local = date.fromordinal(day + _EPOCH_ORDINAL)
    return (local.year * 12 + local.month - 1) // size


def _start(zone: tzinfo, unit: str, size: int, serial: int) -> int:
    if unit == "d":
        return _day_start(zone, serial * size)
    if unit == "w":
        return _day_start(zone, serial * size * 7 + 4)
    year, month = divmod(serial * size, 12)
    return _day_start(zone, date(year, month + 1, 1).toordinal() - _EPOCH_ORDINAL)


def _day(zone: tzinfo, at_s: int) -> int:
    """The local day that holds an instant, in days since 1970-01-01: the last one begun by then.

    Not always the date on the clock: set back across midnight, it shows the day before once more.
    """
    day = at_s // DAY_S + 1
    while _day_start(zone, day) > at_s:
        day -= 1
    return day


@lru_cache(maxsize=8_192)
def _day_start(zone: tzinfo, day: int) -> int:
    return _instant(zone, datetime.fromordinal(day + _EPOCH_ORDINAL))


def _instant(zone: tzinfo, wall: datetime) -> int:
    """The first instant at which a zone's clock shows `wall` or, for want of that, later."""
    local_s = (wall.replace(tzinfo=_UTC) - _EPOCH) // _SECOND
    before = _offset_s(wall.replace(tzinfo=zone, fold=0))
    after = _offset_s(wall.replace(tzinfo=zone, fold=1))
    if after <= before:
        return local_s - before
    early, late = local_s - after, local_s - before
    while late - early > 1:
        middle = (early + late) // 2
        shows = (_local(zone, middle).replace(tzinfo=_UTC) - _EPOCH) // _SECOND
        early, late = (middle, late) if shows < local_s else (early, middle)
    return late


def _offset_s(moment: datetime) -> int:
    return (moment.utcoffset() or timedelta()) // _SECOND


def _local(zone: tzinfo, at_s: int) -> datetime:
    """What the zone's clock and calendar show at an instant, without a zone."""
    return (_EPOCH + timedelta(seconds=at_s)).astimezone(zone).replace(tzinfo=None, fold=0)


def _date_back(day: date, length: Interval) -> date:
    """A calendar length before a date, no earlier than the calendar itself."""
    if length.unit in ("d", "w"):
        days = length.nominal_s // DAY_S
        return date.fromordinal(max(day.toordinal() - days, 2))
    months = day.year * 12 + day.month - 1 - length.count * (12 if length.unit == "y" else 1)
    year, month = divmod(max(months, 12), 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _utc_s(year: int) -> int:
    return (date(year, 1, 1).toordinal() - _EPOCH_ORDINAL) * DAY_S


MIN_S = _utc_s(FIRST_YEAR) - 2 * DAY_S  # any zone's 1900 has not begun yet
MAX_S = _utc_s(LAST_YEAR + 1) + 2 * DAY_S  # any zone's 2200 is over
UTC = Grid(_UTC, "UTC")

_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*")
_ZONE_FORM = "the name of an IANA time zone, such as Europe/Berlin"
_NOT_ZONES = ("posix", "right", "localtime", "posixrules", "factory")  # a system's own, or no zone
_UTC_NAMES = {"UTC", "UCT", "Universal", "Zulu"} | {"Etc/UTC", "Etc/UCT", "Etc/Universal"}
_OFFSET = re.compile(r"([+-]?)([0-9]{1,4})")
_OFFSET_FORM = "hours and minutes such as -0800, or hundredths of hours such as -800"


def parse_zone(text: str, parameter: str = "tz") -> Grid:
    """The grid of an IANA time zone; anything that does not name one is `BadInput`.

    >>> parse_zone("Europe/Berlin").name
    'Europe/Berlin'
    """
    name = text.strip() if isinstance(text, str) and len(text) <= 64 else ""
    if not _ZONE_NAME.fullmatch(name) or name.split("/")[0].lower() in _NOT_ZONES:
        raise BadInput(parameter, text, _ZONE_FORM)
    if name in _UTC_NAMES:
        return UTC
    try:
        return Grid(ZoneInfo(name), name)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BadInput(parameter, text, _ZONE_FORM) from error


def parse_tzoffset(text: object, parameter: str = "tzoffset") -> Grid:
    """The grid of a fixed offset from UTC: four digits are hhmm, fewer are hundredths of hours.

    >>> parse_tzoffset("-0800").name, parse_tzoffset("-800").name, parse_tzoffset("530").name
    ('-08:00', '-08:00', '+05:18')
    """
    found = _OFFSET.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise BadInput(parameter, text, _OFFSET_FORM)
    sign, digits = found.groups()
    if len(digits) == 4:
        hours, minutes = int(digits[:2]), int(digits[2:])
        offset_s = hours * 3_600 + minutes * 60 if minutes < 60 else DAY_S
    else:
        offset_s = int(digits) * 36
    if offset_s >= DAY_S:
        raise BadInput(parameter, text, f"{_OFFSET_FORM}, less than a day")
    return _fixed(-offset_s if sign == "-" else offset_s)


def _fixed(offset_s: int) -> Grid:
    if offset_s == 0:
        return UTC
    minutes, seconds = divmod(abs(offset_s), 60)
    name = f"{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    if seconds:
        name += f":{seconds:02}"
    return Grid(timezone(timedelta(seconds=offset_s)), name)
