"""Parsers of parameter values: check and convert the values of a request, a call or a file once.

Each takes a value and the name of its parameter, and raises `BadInput` that names both and what was
expected. A value is absent when it is None or an empty text. The modules of the capabilities define
which parameters there are, and their defaults.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from hailwhale.core.numbers import finite
from hailwhale.errors import BadInput

MAX_TEXT_CHARS = 200
_BOOLS = {"1": True, "true": True, "0": False, "false": False, "": False, "none": False}


def is_absent(value: object) -> bool:
    """Return whether a parameter has no value: None, or an empty text as forms send it.

    >>> is_absent(None), is_absent(""), is_absent(0)
    (True, True, False)
    """
    return value is None or value == ""


def parse_int(value: object, parameter: str, minimum: int, maximum: int, default: int) -> int:
    """Parse a whole number within bounds; return the default when it is absent.

    >>> parse_int("3", "depth", 0, 8, default=0)
    3
    """
    if is_absent(value):
        return default
    expected = f"a whole number from {minimum} to {maximum}"
    number = parse_decimal(value, parameter, minimum, maximum, expected)
    if number != int(number):
        raise BadInput(parameter, value, expected)
    return int(number)


def parse_bool(value: object, parameter: str) -> bool:
    """Parse 1 or 0, true or false; absent is False.

    >>> parse_bool("1", "other"), parse_bool(None, "other")
    (True, False)
    """
    known = isinstance(value, bool | str | None) or value in (0, 1)
    word = str(value).strip().lower() if known else "?"
    if word not in _BOOLS:
        raise BadInput(parameter, value, "1 or 0")
    return _BOOLS[word]


def parse_decimal(
    value: object,
    parameter: str,
    minimum: Decimal | float | None = None,
    maximum: Decimal | float | None = None,
    expected: str = "",
) -> Decimal:
    """Parse a number within bounds; None leaves a side open. `expected` replaces the error's text.

    >>> parse_decimal(" .5 ", "threshold", 0, 1)
    Decimal('0.5')
    >>> parse_decimal(2, "holdout", 0, 1)
    Traceback (most recent call last):
    ...
    hailwhale.errors.BadInput: holdout: got 2; expected a number from 0 to 1
    """
    number = finite(value)
    if (
        number is None
        or (minimum is not None and number < minimum)
        or (maximum is not None and number > maximum)
    ):
        raise BadInput(parameter, value, expected or _number_between(minimum, maximum))
    return number


def parse_enum(value: object, parameter: str, words: Sequence[str], expected: str = "") -> str:
    """Parse one of some words; absent is the first. `expected` replaces the error's text.

    >>> parse_enum("dark", "theme", ("auto", "light", "dark")), parse_enum("", "of", ("a", "b"))
    ('dark', 'a')
    """
    word = words[0] if is_absent(value) else value
    if word not in words:
        raise BadInput(parameter, value, expected or f"one of {' '.join(words)}")
    return str(word)


def parse_text(value: object, parameter: str, max_chars: int = MAX_TEXT_CHARS) -> str:
    """Parse one line of text; absent is empty.

    >>> parse_text(2026, "title")
    '2026'
    """
    if isinstance(value, dict | list | tuple):
        raise BadInput(parameter, value, "a string")
    expected = f"a line of at most {max_chars} characters"
    try:
        text = "" if value is None else str(value)
    except ValueError as fault:  # an int of thousands of digits
        raise BadInput(parameter, value, expected) from fault
    if len(text) > max_chars or not text.isprintable():
        raise BadInput(parameter, value, expected)
    return text


def parse_pattern(value: object, parameter: str, form: re.Pattern[str], expected: str) -> str:
    """Parse one line of text that matches a pattern as a whole; absent is empty."""
    text = parse_text(value, parameter)
    if text and not form.fullmatch(text):
        raise BadInput(parameter, value, expected)
    return text


def parse_texts(value: object, parameter: str) -> list[str]:
    """Parse a text, several separated by commas, or a list of texts; absent is an empty list.

    >>> parse_texts("today, all", "period"), parse_texts(["today"], "period")
    (['today', 'all'], ['today'])
    """
    if is_absent(value):
        return []
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if isinstance(value, Sequence) and all(isinstance(part, str) for part in value):
        return list(value)
    raise BadInput(parameter, value, "a string or a list of strings")


def parse_name(value: object, parameter: str) -> str | int | None:
    """Parse the name of a visitor or an event: a text or a whole number, as given; None stays None.

    >>> parse_name("ann", "uid"), parse_name(7, "uid")
    ('ann', 7)
    """
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    raise BadInput(parameter, value, "a string or a whole number")


def _number_between(minimum: Decimal | float | None, maximum: Decimal | float | None) -> str:
    lower = "" if minimum is None else f" from {minimum:g}"
    upper = "" if maximum is None else f" to {maximum:g}"
    return f"a number{lower}{upper}"
