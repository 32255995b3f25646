"""Calendar buckets in a time zone: their starts, their ends and steps between them.

Defines intervals and the half-open bucket ``[start, end)`` that holds an instant. Knows nothing of
rollups, periods or counting. All instants are whole epoch seconds. The rules:

- A day begins at local midnight. If the clock shows midnight twice, the first one counts. If
  midnight does not exist, the day begins at the first instant of the date. A date that a zone
  skipped is empty and never appears.
- Buckets shorter than a day count elapsed seconds from the start of the day. The end of the day
  cuts the last one: on a day of 25 hours, the last 6h bucket has one hour.
- n-day buckets count from 1970-01-01, n-week buckets from Monday 1970-01-05, n-month buckets from
  January of year 0 and n-year buckets from year 0.

Every bucket of a day or longer has a number on the calendar, its *serial*. Everything else is
derived from the serial and from `_day_start`, the only code that handles clock changes.
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
    """Describe a calendar width: a count from 1 to 100,000 and a unit (s m h d w mo y).

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
        """Parse an interval such as ``5m``; raise `BadInput` at `parameter` for anything else."""
        found = _INTERVAL.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None or int(found[1]) > MAX_COUNT:
            raise BadInput(parameter, text, _INTERVAL_FORM)
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def nominal_s(self) -> int:
        """Return the width in seconds with 30-day months and 365-day years.

        Use it for bounds and ordering only.
        """
        return self.count * UNIT_S[self.unit]

    @property
    def canonical(self) -> Interval:
        """Return the same buckets in the largest unit: 60m becomes 1h, 12mo becomes 1y.

        Seven days stay seven days, because weeks begin on Mondays and n-day buckets do not.
        """
        count, unit = self.count, self.unit
        for smaller, size, larger in _LARGER:
            if unit == smaller and count % size == 0:
                count, unit = count // size, larger
        return Interval(count, unit)

    def bucket(self, parameter: str = "period") -> Interval:
        """Return this interval, canonical; raise `BadInput` if it cannot form buckets."""
        interval = self.canonical
        if interval.unit in "smh" and interval.nominal_s > DAY_S:
            raise BadInput(parameter, str(self), "an interval of whole days, or of at most 24h")
        if interval.nominal_s > _CENTURY_S:
            raise BadInput(parameter, str(self), "an interval of up to 100 years")
        return interval


@dataclass(frozen=True, slots=True)
class Grid:
    """Compute calendar buckets in one time zone. Equal grids have the same canonical `name`.

    Instants outside the years 1900 to 2200 raise `BadInput` at the parameter the caller names.

    >>> UTC.floor(1_767_225_725, Interval(1, "h"))
    1767225600
    """

    zone: tzinfo
    name: str

    def floor(self, at_s: int, interval: Interval, parameter: str = "at") -> int:
        """Return the start of the bucket that holds an instant."""
        if not MIN_S <= at_s < MAX_S:
            raise BadInput(parameter, at_s, SUPPORTED)
        unit, size = _shape(interval)
        if unit == "s":
            day_start_s = _day_start(self.zone, _day(self.zone, at_s))
            return at_s - (at_s - day_start_s) % size
        return _start(self.zone, unit, size, _serial(self.zone, unit, size, at_s))

    def next(self, start_s: int, interval: Interval, parameter: str = "at") -> int:
        """Return the end of a bucket by its start: the start of the next non-empty one."""
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
        """Step a length back from an edge: elapsed time for s, m and h, calendar time otherwise.

        One day back is the same time of day; one month back is the same day of the month, or the
        month's last day. A time of day that does not exist becomes the end of the gap; one that
        occurs twice becomes the first. The edge belongs to the span before it: the midnight that
        ends a day counts as that day's, even if the zone skipped the next date.
        """
        if not MIN_S <= edge_s < MAX_S:
            raise BadInput(parameter, edge_s, SUPPORTED)
        if length.unit in "smh":
            return edge_s - length.nominal_s
        wall = _local(self.zone, edge_s - 1) + _SECOND
        return _instant(self.zone, datetime.combine(_date_back(wall.date(), length), wall.time()))

    def starts(self, begin_s: int, end_s: int, interval: Interval) -> Iterator[int]:
        """Yield `begin_s` and then every later bucket start before `end_s`, in order."""
        start_s = self.floor(begin_s, interval)
        while begin_s < end_s:
            yield begin_s
            begin_s = start_s = self.next(start_s, interval)

    def days_in_month(self, at_s: int) -> int:
        """Return the number of days in the calendar month that holds an instant."""
        local = date.fromordinal(_day(self.zone, at_s) + _EPOCH_ORDINAL)
        return monthrange(local.year, local.month)[1]

    def day_start(self, day: date) -> int:
        """Return the first instant of a local date; for a skipped date, that of the next date."""
        return _day_start(self.zone, day.toordinal() - _EPOCH_ORDINAL)

    def instant(self, wall: datetime) -> int:
        """Return the first instant at which the clock shows a naive local time, or a later one."""
        return _instant(self.zone, wall)

    def serial(self, at_s: int, interval: Interval) -> int:
        """Return the calendar number of the bucket of a day or longer that holds an instant.

        Later buckets have larger numbers. Neighbours differ by one unit unless a date was skipped.
        """
        unit, size = _shape(interval)
        if unit == "s":
            raise BadInput("interval", str(interval), "an interval of a day or longer")
        return _serial(self.zone, unit, size, at_s)


@lru_cache(maxsize=1_024)
def _shape(interval: Interval) -> tuple[str, int]:
    """Reduce an interval to its base unit: a number of seconds, days, weeks or months."""
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
    """Return the local day that holds an instant, in days since 1970-01-01.

    It is the last day that has begun. A clock set back across midnight shows the day before again,
    so this is not always the date on the clock.
    """
    day = at_s // DAY_S + 1
    while _day_start(zone, day) > at_s:
        day -= 1
    return day


@lru_cache(maxsize=8_192)
def _day_start(zone: tzinfo, day: int) -> int:
    return _instant(zone, datetime.fromordinal(day + _EPOCH_ORDINAL))


def _instant(zone: tzinfo, wall: datetime) -> int:
    """Return the first instant at which the zone's clock shows `wall` or a later time."""
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
    """Return the naive local time that the zone's clock shows at an instant."""
    return (_EPOCH + timedelta(seconds=at_s)).astimezone(zone).replace(tzinfo=None, fold=0)


def _date_back(day: date, length: Interval) -> date:
    """Step a calendar length back from a date, but not before the calendar's first date."""
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
# The original read fewer than four digits as hundredths of hours. Only whole hours read the same as
# hours and minutes, so only they are accepted.
_OFFSET = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<h>[0-9]{1,2}):(?P<m>[0-5][0-9])|(?P<hh>[0-9]{2})(?P<mm>[0-5][0-9])"
    r"|(?P<hours>[0-9])00|(?P<minutes>[0-9]{1,4})min|0)"
)
_OFFSET_FORM = "an offset from UTC such as +05:30, -0800, -800 or 330min"


def parse_zone(text: str, parameter: str = "tz") -> Grid:
    """Return the grid of an IANA time zone; raise `BadInput` if the text does not name one.

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
    """Return the grid of a fixed UTC offset; raise `BadInput` for one that has two readings.

    >>> [parse_tzoffset(text).name for text in ("+05:30", "-0800", "-800", "330min")]
    ['+05:30', '-08:00', '-08:00', '+05:30']
    """
    found = _OFFSET.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise BadInput(parameter, text, _OFFSET_FORM)
    hours, minutes = (
        sum(int(found[name] or 0) for name in names)
        for names in (("h", "hh", "hours"), ("m", "mm", "minutes"))
    )
    offset_s = hours * 3_600 + minutes * 60
    if offset_s >= DAY_S:
        raise BadInput(parameter, text, f"{_OFFSET_FORM}, less than a day")
    return _fixed(-offset_s if found["sign"] == "-" else offset_s)


def _fixed(offset_s: int) -> Grid:
    if offset_s == 0:
        return UTC
    minutes, seconds = divmod(abs(offset_s), 60)
    name = f"{'-' if offset_s < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    if seconds:
        name += f":{seconds:02}"
    return Grid(timezone(timedelta(seconds=offset_s)), name)
