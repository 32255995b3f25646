"""Metrics of an event: their names and exact amounts.

Knows nothing of formulas, events or stores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.paths import parse_label
from hailwhale.core.numbers import parse_number, reads_as_number
from hailwhale.errors import BadInput

Metrics = dict[str, Decimal]

HITS = "hits"
UNIQUES = "uniques"  # how many visitors: what is asked like a metric, and never given
RESERVED = "/:()*+,"  # formulas, cells and lists of metrics are written with them

# curl removes the braces of JSON in a URL, and what remains reads as a name.
_ENCODE = "; for JSON in a URL, use curl -G --data-urlencode 'metrics={\"dollars\": 30}'"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # as most names are: it keeps every rule for them
_FORMS = 'a name, a list of names, or an object of numbers such as {"revenue": 19.99}'


def parse_metrics(
    value: object,
    limits: Limits = DEFAULT_LIMITS,
    parameter: str = "metrics",
    *,
    add_hits: bool = True,
) -> Metrics:
    """Parse the metrics of an event; a bare name adds 1, and `hits` is 1 unless given.

    Without `add_hits` only the given metrics are returned, if any.

    Raises `BadInput` for other forms, invalid names or numbers, duplicate names, and more than
    `limits.metrics` names (an implicit `hits` is not counted).

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
            raise BadInput(
                parameter, name, "another name: uniques are counted from the uid of events"
            )
        if name in found:
            raise BadInput(parameter, value, f"each name only once, but {name!r} is repeated")
        found[name] = parse_number(amount, parameter)
    if add_hits:
        found.setdefault(HITS, Decimal(1))
    return found


def parse_metric_name(
    value: object, limits: Limits = DEFAULT_LIMITS, parameter: str = "metrics"
) -> str:
    """Parse a metric name: a label that is also valid in formulas and lists of metrics.

    So it contains none of `/ : ( ) * + ,` and no minus between spaces, does not begin with a minus,
    has no space at either end and is not a number. Raises `BadInput` otherwise.

    >>> parse_metric_name("page-views")
    'page-views'
    """
    if not isinstance(value, str):
        raise BadInput(parameter, value, "the name of a metric, such as revenue")
    if _WORD.fullmatch(value) and len(value) <= limits.label_bytes:
        return value
    name = parse_label(value, limits, parameter)
    if not set(RESERVED).isdisjoint(name):
        expected = f"metric names without any of {' '.join(RESERVED)}"
        raise BadInput(parameter, name, expected + _ENCODE * ('"' in name))
    if name.startswith("-") or " - " in name:
        raise BadInput(
            parameter, name, "metric names without a minus at the start or between spaces"
        )
    if name != name.strip():
        raise BadInput(parameter, name, "metric names without spaces at the start or end")
    if reads_as_number(name):
        raise BadInput(parameter, name, "metric names that are not numbers")
    return name
