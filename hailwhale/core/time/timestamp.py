"""Parses the time at which an event happened into whole epoch seconds.

Defines the accepted forms of `at` and their bounds. The current time is an argument. Knows nothing
of calendars other than UTC, or of retention.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hailwhale.core.numbers import finite
from hailwhale.errors import BadInput

FUTURE_S = 24 * 60 * 60  # how far ahead a sender's clock may be

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
EARLIEST_S = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
LATEST_S = (datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND - 1

_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_SECONDS_FROM = 10**8  # 1973; fewer digits are a date, a year, or a number that is no time
_MILLISECONDS_FROM = 10**11  # as seconds, the year 5138
_MAX_DIGITS = 16  # LATEST_S in milliseconds has 13
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_CLOCK = re.compile(r"([0-9]{8})([01][0-9]|2[0-3])([0-5][0-9])(?:[0-5][0-9])?")
# Python takes any character before the time: 2026-01-01+05:30 would be half past five.
_ISO = re.compile(r"[0-9Ww-]+(?:[Tt ].+)?")
_FORMS = (
    "ISO 8601 such as 2026-01-31T12:00:00Z, epoch seconds of at least 9 digits or milliseconds, "
    "a date such as 20260131, or a year"
)
_WITH_T = "a time with a T after the date, such as 20260131T1200; as a number it has two meanings"


def parse_timestamp(value: object, now_s: float, parameter: str = "at") -> int:
    """Return epoch seconds, rounded down; `now_s` when `value` is None.

    Whole numbers and their text are epoch seconds from 9 digits on, epoch milliseconds from 12 on;
    of 8 digits they are a date, of 4 a year. Other text is ISO 8601. A date means its midnight, a
    year its beginning. Text, datetimes and dates without an offset are UTC.
    Raises `BadInput` for anything else, and for times before 1900, after 2200 or more than a day
    after `now_s`.

    >>> parse_timestamp("2026-01-01T01:00+01:00", now_s=1_767_225_600)
    1767225600
    >>> parse_timestamp(1_767_225_599_999, now_s=1_767_225_600)
    1767225599
    >>> parse_timestamp(20260101, now_s=1_767_225_600) == parse_timestamp("2026", 1_767_225_600)
    True
    """
    if value is None:
        return int(now_s)
    at_s = _from_number(value, parameter)
    if at_s is None:
        at_s = _from_calendar(value)
    if at_s is None:
        raise BadInput(parameter, value, _FORMS)
    if not EARLIEST_S <= at_s <= LATEST_S:
        raise BadInput(parameter, value, "a time in the years 1900 to 2200")
    if at_s > now_s + FUTURE_S:
        raise BadInput(parameter, value, "a time at most 24 hours in the future")
    return at_s


def _from_number(value: object, parameter: str) -> int | None:
    number = finite(value)
    if number is None:
        return None
    # Check the exponent before any arithmetic: 1e999999999 must cost nothing.
    if number and number.adjusted() >= _MAX_DIGITS:
        return LATEST_S + 1  # out of bounds, on whichever side
    whole = math.floor(number)
    if number.copy_abs() < _SECONDS_FROM:
        return _from_date_digits(number, value, parameter)
    if _is_clock_digits(str(whole)):
        raise BadInput(parameter, value, _WITH_T)
    return whole // 1000 if number.copy_abs() >= _MILLISECONDS_FROM else whole


def _from_date_digits(number: Decimal, value: object, parameter: str) -> int:
    """Return the time of a date or a year that is written as a number of 8 or 4 digits."""
    whole = int(number)
    day = date(whole, 1, 1) if _FIRST_YEAR <= whole <= _LAST_YEAR else _date_of(str(whole))
    if number != whole or day is None:
        raise BadInput(parameter, value, _FORMS)
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH) // _SECOND


def _is_clock_digits(text: str) -> bool:
    """Return whether digits are a date and a time of day, such as 202601311200."""
    found = _CLOCK.fullmatch(text)
    return found is not None and _date_of(found[1]) is not None


def _date_of(text: str) -> date | None:
    """Return the date of 8 digits, None if they are none of the supported years."""
    found = _DATE.fullmatch(text)
    if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _from_calendar(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        if not _ISO.fullmatch(text):
            return None
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return None
    if value.utcoffset() is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // _SECOND
