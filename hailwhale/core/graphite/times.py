"""Parses Graphite's from and until: relative times, epoch seconds, named times and dates.

The current time and the time zone are arguments. Knows nothing of buckets.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from hailwhale.core.time.calendar_grid import Grid, Interval
from hailwhale.core.time.timestamp import EARLIEST_S, LATEST_S
from hailwhale.errors import BadInput

_FORMS = (
    "-1h (units s min h d w mon y), now, today, yesterday, midnight, noon, epoch seconds, "
    "HH:MM_YYYYMMDD, YYYYMMDD, MM/DD/YY; a named time may have an offset, such as midnight-2d"
)
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "week", "weeks"), "w"),
    **dict.fromkeys(("mon", "month", "months"), "mo"),
    **dict.fromkeys(("y", "year", "years"), "y"),
}
_WITH_OFFSET = re.compile(r"([a-z]*)(?:([+-])([0-9]{1,9})([a-z]+))?")
_EPOCH = re.compile(r"-?[0-9]{9,12}")
_CLOCK = re.compile(r"(?:([0-9]{1,2}):([0-9]{2})(am|pm)?_)?(.+)")
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})")
_NAMED_H = {"today": 0, "yesterday": 0, "midnight": 0, "noon": 12, "teatime": 16}


def parse_time(text: str, now_s: int, grid: Grid, parameter: str) -> int:
    """Return the epoch seconds of a Graphite time; days are those of `grid`.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> now_s = 1_767_225_600 + 3_600  # 2026-01-01 01:00
    >>> [parse_time(text, now_s, UTC, "from") - now_s for text in ("-1h", "now-30min", "today")]
    [-3600, -1800, -3600]
    >>> parse_time("04:30_20251231", now_s, UTC, "from") == 1_767_225_600 - 19.5 * 3_600
    True
    """
    asked = text.strip().lower()
    try:
        at_s = _epoch(asked) or _relative(asked, now_s, grid) or _dated(asked, now_s, grid)
    except (ValueError, OverflowError) as fault:
        raise BadInput(
            parameter, text, "an existing date and time in the years 1900 to 2200"
        ) from fault
    if at_s is None:
        raise BadInput(parameter, text, _FORMS)
    if not EARLIEST_S <= at_s <= LATEST_S:
        raise BadInput(parameter, text, "a time in the years 1900 to 2200")
    return at_s


def parse_interval(text: str, parameter: str) -> Interval:
    """Parse an interval in summarize's notation: 1h, 15min, 1d, 1mon.

    >>> str(parse_interval("15min", "target"))
    '15m'
    """
    found = re.fullmatch(r"([0-9]{1,6})([a-z]+)", text.strip().lower())
    unit = _UNITS.get(found[2]) if found else None
    if found is None or unit is None:
        raise BadInput(parameter, text, "an interval such as 15min, 1h or 1d")
    return Interval.parse(f"{int(found[1])}{unit}", parameter).bucket(parameter)


def _epoch(text: str) -> int | None:
    # Eight digits are a date, as Graphite has it: epoch seconds of 1973 and later have nine.
    return int(text) if _EPOCH.fullmatch(text) else None


def _relative(text: str, now_s: int, grid: Grid) -> int | None:
    """Parse `now` or a named time of day, with an optional offset."""
    found = _WITH_OFFSET.fullmatch(text)
    if found is None or not text:
        return None
    word, sign, count, unit = found.groups()
    if word in ("", "now"):
        base_s = now_s
    elif word in _NAMED_H:
        day = _local_day(now_s, grid) - timedelta(days=word == "yesterday")
        base_s = int(day.replace(hour=_NAMED_H[word]).timestamp())
    else:
        return None
    if sign is None:
        return base_s
    if unit not in _UNITS:
        return None
    length = Interval(int(count), _UNITS[unit]) if int(count) else None
    if length is None:
        return base_s
    if sign == "-":
        return grid.back(base_s, length)
    return base_s + length.nominal_s


def _dated(text: str, now_s: int, grid: Grid) -> int | None:
    """Parse a date with an optional time of day in front; the default is midnight."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute, half, day = found.groups()
    if exact := _DATE.fullmatch(day):
        date = datetime(int(exact[1]), int(exact[2]), int(exact[3]))
    elif us := _US_DATE.fullmatch(day):
        year = int(us[3])
        date = datetime(year if year > 99 else 2000 + year, int(us[1]), int(us[2]))
    elif day in ("today", "yesterday"):
        date = _local_day(now_s, grid) - timedelta(days=day == "yesterday")
    else:
        return None
    hours = int(hour or 0) % (12 if half else 24) + 12 * (half == "pm")
    if int(hour or 0) > (12 if half else 23) or int(minute or 0) > 59:
        raise ValueError("no such time of day")
    moment = date.replace(hour=hours, minute=int(minute or 0), tzinfo=grid.zone)
    return int(moment.timestamp())


def _local_day(now_s: int, grid: Grid) -> datetime:
    """Return the local midnight of the current day in a zone."""
    local = datetime.fromtimestamp(now_s, grid.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
