"""Metrics: their names, and numbers that stay exactly what they were given as.

Owns the rules for metric names, the bounds of one amount, and how a number is written. Nothing here
rounds, whatever the decimal context of the caller. It must not know formulas, events or stores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation

from hailwhale.core.dimensions import parse_label
from hailwhale.core.limits import DEFAULT_LIMITS, Limits
from hailwhale.errors import BadInput

Metrics = dict[str, Decimal]
Number = int | float | Decimal

HITS = "hits"
UNIQUES = "uniques"  # how many visitors: what is asked like a metric, and never given
RESERVED = "/:()*+,"  # formulas, cells and lists of metrics are written with them

_DIGITS = 30  # before the point, and as many after it
_TOO_LARGE: int = 10**_DIGITS
_EXACT = Context(prec=2 * _DIGITS, traps=[Inexact])
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # as most names are: it keeps every rule for them
_FORMS = 'a name, a list of names, or an object of numbers such as {"revenue": 19.99}'
_NUMBER_FORMS = f"a number below 10^{_DIGITS} with at most {_DIGITS} decimals"


def parse_metrics(
    value: object,
    limits: Limits = DEFAULT_LIMITS,
    parameter: str = "metrics",
    *,
    add_hits: bool = True,
) -> Metrics:
    """What an event adds, by name; a name alone adds 1, and `hits` is 1 unless it is given.

    Without `add_hits` there are only the metrics given, or none.

    Raises `BadInput` for other forms, bad names or numbers, a name given twice, and more than
    `limits.metrics` names (a `hits` that was not given is free).

    >>> parse_metrics({"revenue": "19.99"})
    {'revenue': Decimal('19.99'), 'hits': Decimal('1')}
    >>> parse_metrics("sales")
    {'sales': Decimal('1'), 'hits': Decimal('1')}
    """
    if value is None:
        pairs: list[tuple[object, object]] = []
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, str):
        pairs = [(value, 1)]
    elif isinstance(value, list | tuple):
        pairs = [(name, 1) for name in value]
    else:
        raise BadInput(parameter, value, _FORMS)
    if len(pairs) > limits.metrics:
        raise BadInput(parameter, value, f"at most {limits.metrics} metrics")
    found: Metrics = {}
    for given, amount in pairs:
        name = parse_metric_name(given, limits, parameter)
        if name == UNIQUES:
            raise BadInput(parameter, name, "another name: uniques are counted by the events' uid")
        if name in found:
            raise BadInput(parameter, value, f"each name once, but {name!r} is there again")
        found[name] = parse_number(amount, parameter)
    if add_hits:
        found.setdefault(HITS, Decimal(1))
    return found


def parse_metric_name(
    value: object, limits: Limits = DEFAULT_LIMITS, parameter: str = "metrics"
) -> str:
    """A metric's name: a label that can also stand in a formula and in a list of metrics.

    So it holds none of `/ : ( ) * + ,` and no minus between spaces, does not begin with a minus,
    has no space at either end and does not read as a number. Raises `BadInput` otherwise.

    >>> parse_metric_name("page-views")
    'page-views'
    """
    if not isinstance(value, str):
        raise BadInput(parameter, value, "the name of a metric, as text")
    if _WORD.fullmatch(value) and len(value) <= limits.label_bytes:
        return value
    name = parse_label(value, limits, parameter)
    if not set(RESERVED).isdisjoint(name):
        raise BadInput(parameter, name, f"metric names without any of {' '.join(RESERVED)}")
    if name.startswith("-") or " - " in name:
        raise BadInput(parameter, name, "metric names with no minus in front or between spaces")
    if name != name.strip():
        raise BadInput(parameter, name, "metric names without space at either end")
    if _NUMBER.fullmatch(name):
        raise BadInput(parameter, name, "metric names that do not read as a number")
    return name


def parse_number(value: object, parameter: str = "number") -> Decimal:
    """One amount, exactly as given: an int, a float by its repr, a Decimal or numeric text.

    Raises `BadInput` for anything else (booleans too), from 10^30 on and past 30 decimals.

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
    """Whether a number may be an amount as it is written: below 10^30, at most 30 decimals.

    >>> within_bounds(10**30 - 1), within_bounds(10**30), within_bounds(Decimal("1E-31"))
    (True, False, False)
    """
    if isinstance(number, int):
        return -_TOO_LARGE < number < _TOO_LARGE
    exponent = number.as_tuple().exponent  # a letter for NaN and infinity
    return isinstance(exponent, int) and exponent >= -_DIGITS and number.adjusted() < _DIGITS


def finite(value: object) -> Decimal | None:
    """The number that a value is, however large or long; None when it is none, or not finite.

    >>> finite(" .5 "), finite("nan"), finite(True)
    (Decimal('0.5'), None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    if isinstance(value, float):
        value = float.__repr__(value)
    if isinstance(value, str):
        value = value.strip()
        if not _NUMBER.fullmatch(value):
            return None
    try:
        number = Decimal(value)
    except InvalidOperation:  # an exponent of twenty digits
        return None
    return number if number.is_finite() else None


def decimal_text(value: Decimal | int) -> str:
    """A finite number in its one canonical form: plain digits, no exponent, no idle zeros.

    >>> decimal_text(Decimal("1E+5")), decimal_text(Decimal("-.50")), decimal_text(Decimal("-0.0"))
    ('100000', '-0.5', '0')
    """
    if not value:
        return "0"
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_number(value: Decimal) -> Number:
    """The plainest Python number that says exactly the same: an int, a float, else the Decimal.

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
    """A number for a person: thousands apart, at most four decimals, two where it is large.

    >>> readable(Decimal("1234.5")), readable(Decimal("0.123456")), readable(Decimal(7))
    ('1,234.50', '0.1235', '7')
    """
    places = 0 if value == value.to_integral_value() else 2 if abs(value) >= 10 else 4
    return f"{value:,.{places}f}"
