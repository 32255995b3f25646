"""Python objects as the texts of periods, lengths and time zones.

Owns which objects stand for a period or a length of time, and how each is written. It reads no
texts: see `Period.parse` and `Interval.parse`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeGuard
from zoneinfo import ZoneInfo

from hailwhale.core.time.period import Period
from hailwhale.errors import BadInput

_PERIOD_FORMS = (
    "a string such as 1d:1mo, a Period, a timedelta (that long, up to now), a date (that "
    "day), or a tuple of two dates (first and last day) or of two datetimes of whole seconds"
)
_LENGTH_FORMS = "a length of time such as 30d, or a timedelta of whole seconds that is not negative"
_ZONE_FORMS = "an IANA time zone such as Europe/Berlin, or its ZoneInfo"
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SECOND = timedelta(seconds=1)
# The bucket that suits a length: the first whose bound is not exceeded.
_BUCKETS = (
    (timedelta(seconds=59), "1s"),
    (timedelta(hours=2), "1m"),
    (timedelta(days=2), "1h"),
    (timedelta(days=400), "1d"),
    (timedelta.max, "1mo"),
)


def period_texts(value: object, parameter: str = "period") -> object:
    """Write one period, or a list of periods, as text.

    A tuple of two dates is one period, from the first day to the last. A tuple in which a datetime
    has a time of day is one period, too, and ends at the second time.

    >>> period_texts([Period.parse("1d:1w"), timedelta(hours=6), date(2026, 3, 15)])
    ['1d:1w', '1h:6h', '2026-03-15..2026-03-15']
    >>> period_texts((date(2026, 3, 1), date(2026, 3, 15)))
    '2026-03-01..2026-03-15'
    >>> period_texts((datetime(2026, 3, 1, 10), datetime(2026, 3, 1, 12)))
    '2026-03-01T10:00:00..2026-03-01T12:00:00'
    """
    if _is_range(value) or not isinstance(value, list | tuple):
        return period_text(value, parameter)
    return [period_text(each, parameter) for each in value]


def period_text(value: object, parameter: str = "period") -> str:
    """Write one period as text; raises `BadInput` for what is none.

    The buckets of a timedelta are a minute wide up to two hours, an hour up to two days, a day up
    to 400 days, and a month beyond.

    >>> period_text(timedelta(days=7)), period_text("mtd")
    ('1d:7d', 'mtd')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Period):
        if Period.parse(value.text, parameter) != value:
            raise BadInput(parameter, value, "a Period made by Period.parse")
        return value.text
    if isinstance(value, timedelta):
        bucket = next(bucket for most, bucket in _BUCKETS if value <= most)
        return f"{bucket}:{_length(value, parameter, _PERIOD_FORMS)}"
    if isinstance(value, date):
        return f"{_day(value, parameter)}..{_day(value, parameter)}"
    if _is_range(value):
        write = _time if any(_has_time(each) for each in value) else _day
        return f"{write(value[0], parameter)}..{write(value[1], parameter)}"
    raise BadInput(parameter, value, _PERIOD_FORMS)


def length_text(value: object, parameter: str) -> object:
    """Write a timedelta as the text of a length; what is no timedelta stays as it is.

    >>> length_text(timedelta(days=30), "expires"), length_text("12h", "delay")
    ('30d', '12h')
    """
    if not isinstance(value, timedelta):
        return value
    return _length(value, parameter, _LENGTH_FORMS) if value else 0


def zone_text(value: object, parameter: str = "tz") -> object:
    """Write a ZoneInfo, or `datetime.UTC`, as the name of its zone; text stays as it is.

    >>> zone_text(ZoneInfo("Europe/Berlin")), zone_text(UTC)
    ('Europe/Berlin', 'UTC')
    """
    if isinstance(value, str):
        return value
    if value is UTC:
        return "UTC"
    if isinstance(value, ZoneInfo) and value.key:
        return value.key
    raise BadInput(parameter, value, _ZONE_FORMS)


def plain_arguments(**arguments: object) -> dict[str, object]:
    """Collect the arguments that are not None, periods, lengths and zones among them as text.

    >>> plain_arguments(pk="Shop", metrics=None, period=timedelta(days=7))
    {'pk': 'Shop', 'period': '1d:7d'}
    """
    return {
        name: _WRITERS[name](value, name) if name in _WRITERS else value
        for name, value in arguments.items()
        if value is not None
    }


def _periods(value: object, _name: str) -> object:
    return period_texts(value)


_WRITERS: Mapping[str, Callable[[object, str], object]] = {
    "period": _periods,
    "periods": _periods,
    "compare": period_text,
    "expires": length_text,
    "half_life": length_text,
    "delay": length_text,
    "tz": zone_text,
}


def _is_range(value: object) -> TypeGuard[tuple[date, date]]:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(each, date) for each in value)
    )


def _day(value: date, parameter: str) -> str:
    """The date of a day; a datetime stands for one only at its midnight, so that none is cut."""
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.time() != time.min:
        expected = "a date, or a datetime at midnight"
        raise BadInput(parameter, value, expected)
    return value.date().isoformat()


def _has_time(value: date) -> bool:
    return isinstance(value, datetime) and value.time() != time.min


def _time(value: date, parameter: str) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.microsecond:
        raise BadInput(parameter, value, "a datetime of whole seconds")
    return value.isoformat(timespec="seconds")


def _length(value: timedelta, parameter: str, expected: str) -> str:
    seconds, rest = divmod(value, _SECOND)
    if rest or seconds <= 0:
        raise BadInput(parameter, value, expected)
    size, unit = next((size, unit) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
