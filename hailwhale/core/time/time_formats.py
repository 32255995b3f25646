"""Reads times that are written in a format which the caller names.

Knows nothing of columns or events. `timestamp` reads the forms that need no format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import floor

from hailwhale.core.numbers import finite
from hailwhale.core.time.calendar_grid import FIRST_YEAR, LAST_YEAR
from hailwhale.errors import BadInput

ReadTime = Callable[[str], datetime]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 15
_SAMPLE = datetime(2026, 11, 23, 13, 45, 59, tzinfo=UTC)
_FORMS = (
    "epoch, epoch_ms, year, or a format of Python's strptime with a year, such as '%d/%m/%Y %H:%M'"
)


def time_reader(form: str, parameter: str) -> ReadTime:
    """Return a function that reads times of a format; it raises `BadInput` at `at` for others.

    The format is `epoch` (seconds), `epoch_ms`, `year`, or one of `datetime.strptime`. Times
    without an offset are UTC. Raises `BadInput` for anything else, and for a format without a year.

    >>> time_reader("%d/%m/%Y", "at-format")("31/01/2026").isoformat()
    '2026-01-31T00:00:00+00:00'
    >>> time_reader("year", "at-format")("1952").isoformat()
    '1952-01-01T00:00:00+00:00'
    """
    read = _NAMED.get(form)
    if read is None:
        if not _has_year(form):
            raise BadInput(parameter, form, _FORMS)

        def read(text: str) -> datetime:
            found = datetime.strptime(text, form)
            return found if found.tzinfo else found.replace(tzinfo=UTC)

    def checked(text: str) -> datetime:
        try:
            return read(text.strip())
        except (ValueError, OverflowError) as fault:
            raise BadInput("at", text, f"a time in the format {form}") from fault

    return checked


def _has_year(form: str) -> bool:
    try:
        return datetime.strptime(_SAMPLE.strftime(form), form).year == _SAMPLE.year
    except (ValueError, re.error):  # the latter for a directive that occurs twice
        return False


def _number(text: str) -> Decimal:
    number = finite(text)
    if number is None or number.adjusted() > _MOST_DIGITS:
        raise ValueError("no number")
    return number


def _epoch(text: str) -> datetime:
    return _EPOCH + timedelta(seconds=floor(_number(text)))


def _epoch_ms(text: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=floor(_number(text)))


def _year(text: str) -> datetime:
    number = _number(text)
    if number != int(number) or not FIRST_YEAR <= number <= LAST_YEAR:
        raise ValueError("no year")
    return datetime(int(number), 1, 1, tzinfo=UTC)


_NAMED: dict[str, ReadTime] = {"epoch": _epoch, "epoch_ms": _epoch_ms, "year": _year}
