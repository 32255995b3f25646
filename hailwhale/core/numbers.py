"""Exact numbers: parsing, bounds and the text of one amount.

Nothing here rounds, whatever the decimal context of the caller. Uses only the standard library.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from hailwhale.errors import BadInput

Number = int | float | Decimal
_DIGITS = 30  # before the point, and as many after it
_TOO_LARGE: int = 10**_DIGITS
_EXACT = Context(prec=2 * _DIGITS, traps=[Inexact])
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NUMBER_FORMS = f"a number below 10^{_DIGITS} with at most {_DIGITS} decimals"


def parse_number(value: object, parameter: str = "number") -> Decimal:
    """Parse one amount exactly: an int, a float by its repr, a Decimal or numeric text.

    Raises `BadInput` for anything else, including booleans, for numbers from 10^30 on and for more
    than 30 decimals.

    >>> parse_number("19.990"), parse_number(0.1), parse_number("1e3")
    (Decimal('19.99'), Decimal('0.1'), Decimal('1000'))
    """
    if type(value) is int and within_bounds(value):
        return Decimal(value)
    number = finite(value)
    if number is None:
        raise BadInput(parameter, value, _NUMBER_FORMS)
    try:
        shortest = number.normalize(_EXACT) if number else Decimal(0)
    except Inexact as fault:
        raise BadInput(parameter, value, _NUMBER_FORMS) from fault
    # Before it is written out: 1e999999 must cost nothing.
    if not within_bounds(shortest):
        raise BadInput(parameter, value, _NUMBER_FORMS)
    return Decimal(decimal_text(shortest))


def within_bounds(number: Decimal | int) -> bool:
    """Return whether a number is a valid amount: below 10^30 with at most 30 decimals.

    >>> within_bounds(10**30 - 1), within_bounds(10**30), within_bounds(Decimal("1E-31"))
    (True, False, False)
    """
    if isinstance(number, int):
        return -_TOO_LARGE < number < _TOO_LARGE
    exponent = number.as_tuple().exponent  # a letter for NaN and infinity
    return isinstance(exponent, int) and exponent >= -_DIGITS and number.adjusted() < _DIGITS


def reads_as_number(text: str) -> bool:
    """Return whether a text is a number in plain or scientific notation.

    >>> reads_as_number("1e3"), reads_as_number("1e3 visits")
    (True, False)
    """
    return _NUMBER.fullmatch(text) is not None


def finite(value: object) -> Decimal | None:
    """Return a value as a Decimal, whatever its size; None if it is not a finite number.

    >>> finite(" .5 "), finite("nan"), finite(True)
    (Decimal('0.5'), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, float):
        value = float.__repr__(value)
    if isinstance(value, str):
        value = value.strip()
        if not reads_as_number(value):
            return None
    try:
        number = Decimal(value)
    except InvalidOperation:  # an exponent of twenty digits
        return None
    return number if number.is_finite() else None


def decimal_text(value: Decimal | int) -> str:
    """Format a finite number canonically: plain digits, no exponent, no trailing zeros.

    >>> decimal_text(Decimal("1E+5")), decimal_text(Decimal("-.50")), decimal_text(Decimal("-0.0"))
    ('100000', '-0.5', '0')
    """
    if not value:
        return "0"
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_number(value: Decimal) -> Number:
    """Return the simplest Python number of the same value: int, float, or else the Decimal.

    >>> as_number(Decimal("3.00")), as_number(Decimal("19.99"))
    (3, 19.99)
    >>> as_number(Decimal("0.12345678901234567890"))
    Decimal('0.12345678901234567890')
    """
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else value


def readable(value: Decimal) -> str:
    """Format a number for people: thousands separators and at most four decimals.

    >>> readable(Decimal("1234.5")), readable(Decimal("0.123456")), readable(Decimal(7))
    ('1,234.50', '0.1235', '7')
    """
    places = 0 if value == value.to_integral_value() else 2 if abs(value) >= 10 else 4
    return f"{value:,.{places}f}"
