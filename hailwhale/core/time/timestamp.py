"""Parses the time at which an event happened into whole epoch seconds.

Defines the accepted forms of `at` and their bounds. The current time is an argument. Knows nothing
of calendars other than UTC, or of retention.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from hailwhale.core.numbers import finite
from hailwhale.errors import BadInput

FUTURE_S = 24 * 60 * 60  # how far ahead a sender's clock may be

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
EARLIEST_S = (datetime(1900, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
LATEST_S = (datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND - 1

_MILLISECONDS_FROM = 10**11  # as seconds, the year 5138
_MAX_DIGITS = 16  # LATEST_S in milliseconds has 13
_FORMS = "epoch seconds or milliseconds, or ISO 8601 such as 2026-01-31T12:00:00Z"


def parse_timestamp(value: object, now_s: float, parameter: str = "at") -> int:
    """Return epoch seconds, rounded down; `now_s` when `value` is None.

    Numbers and numeric text are epoch seconds, or epoch milliseconds from 10^11 on. Other text is
    ISO 8601; a date means its midnight. Text, datetimes and dates without an offset are UTC.
    Raises `BadInput` for anything else, and for times before 1900, after 2200 or more than a day
    after `now_s`.

    >>> parse_timestamp("2026-01-01T01:00+01:00", now_s=1_767_225_600)
    1767225600
    >>> parse_timestamp(1_767_225_599_999, now_s=1_767_225_600)
    1767225599
    """
    if value is None:
        return int(now_s)
    at_s = _from_number(value)
    if at_s is None:
        at_s = _from_calendar(value)
    if at_s is None:
        raise BadInput(parameter, value, _FORMS)
    if not EARLIEST_S <= at_s <= LATEST_S:
        raise BadInput(parameter, value, "a time in the years 1900 to 2200")
    if at_s > now_s + FUTURE_S:
        raise BadInput(parameter, value, "a time at most 24 hours in the future")
    return at_s


def _from_number(value: object) -> int | None:
    number = finite(value)
    if number is None:
        return None
    # Check the exponent before any arithmetic: 1e999999999 must cost nothing.
    if number and number.adjusted() >= _MAX_DIGITS:
        return LATEST_S + 1  # out of bounds, on whichever side
    whole = math.floor(number)
    return whole // 1000 if number.copy_abs() >= _MILLISECONDS_FROM else whole


def _from_calendar(value: object) -> int | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        return None
    if value.utcoffset() is None:
        value = value.replace(tzinfo=UTC)
    return (value - _EPOCH) // _SECOND
