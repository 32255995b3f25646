"""Reads the keys of the HailWhale of 2011 and turns their numbers into events.

Every number is a field of a Redis hash, already rolled up::

    pk||dimension||interval||metric     field: the start of a bucket    value: a whole number
    ["Product", "7"]||["country", "US"]||1d||revenue    Fri Mar 01 00:00:00 2013    1999

A path is its only label, else its JSON list, or ``_`` if it is empty; the first versions wrote JSON
throughout. Intervals are ``1d``, or seconds such as ``86400``, optionally with a retention
(``1d:1y``, ``86400x2592000``), or ``all``, whose single field is ``time``. Buckets are in UTC.

Only days, hours and all time are imported. The other intervals (6 hours, 14 days) begin at
arbitrary times. Knows nothing of where keys come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from hailwhale.errors import BadInput

KEY_PATTERN = "*||*||*||*"

HOUR_S = 3600
DAY_S = 24 * HOUR_S
EVER_S = 0  # the interval of `all`
TAKEN_S = (HOUR_S, DAY_S, EVER_S)

_DATE = "%a %b %d %H:%M:%S %Y"
_UNITS_S = {  # written as any beginning of the word: the first that fits
    "seconds": 1,
    "minutes": 60,
    "hours": HOUR_S,
    "days": DAY_S,
    "weeks": 7 * DAY_S,
    "months": 31 * DAY_S,
    "years": 365 * DAY_S,
}
_INTERVAL = re.compile(r"([1-9]\d{0,8})([a-z]{0,20})(?:([:x]).+)?", re.ASCII)
_NO_LABEL = ("", "_", '"_"', '["_"]', "[]", "null", "[null]")
_METRICS = 16  # of a row, so that it is no larger than an event may be

Buckets: TypeAlias = dict[int, int]  # bucket starts, in epoch seconds, to amounts


@dataclass(frozen=True, slots=True, order=True)
class HailWhale1Key:
    """The parts of a key; `with_length` marks versions that wrote one key per retention."""

    pk: str
    dimension: str
    metric: str
    interval_s: int
    with_length: bool
    text: str

    @property
    def taken(self) -> bool:
        """Return whether the importer reads this key."""
        return self.interval_s in TAKEN_S


def read_key(text: str) -> HailWhale1Key | None:
    """Split a key into its parts; return None if it has others, such as a label with ``||``.

    >>> key = read_key('Product||["country", "US"]||86400x2592000||hits')
    >>> key.pk, key.dimension, key.interval_s, key.metric
    ('Product', '["country", "US"]', 86400, 'hits')
    """
    parts = text.split("||")
    if len(parts) != 4:
        return None
    pk, dimension, interval, metric = parts
    if interval == "all":
        return HailWhale1Key(pk, dimension, metric, EVER_S, True, text)
    found = _INTERVAL.fullmatch(interval)
    if found is None:
        return None
    unit_s = next((size_s for unit, size_s in _UNITS_S.items() if unit.startswith(found[2])), None)
    if unit_s is None:
        return None
    return HailWhale1Key(pk, dimension, metric, int(found[1]) * unit_s, found[3] is not None, text)


def path_of(text: str) -> list[object]:
    """Return the labels of a key part; none for the overall.

    >>> path_of('["country", "US"]'), path_of("country"), path_of("_")
    (['country', 'US'], ['country'], [])
    """
    if text in _NO_LABEL:
        return []
    if text.startswith(("[", '"')):
        try:
            value = json.loads(text)
        except ValueError:
            return [text]
        return value if isinstance(value, list) else [value]
    return [text]


def buckets_of(key: HailWhale1Key, fields: Mapping[str, str]) -> Buckets:
    """Parse the numbers of a hash; raise `BadInput` for an invalid date or number."""
    buckets: Buckets = {}
    for field, value in fields.items():
        at_s = 0 if key.interval_s == EVER_S and field == "time" else _instant(field)
        if at_s is None or re.fullmatch(r"-?\d{1,29}", value, re.ASCII) is None:
            expected = "dates such as Fri Mar 01 00:00:00 2013, with whole numbers"
            raise BadInput("key", f"{key.text}: {field} {value}", expected)
        _add(buckets, at_s - at_s % (key.interval_s or 1), int(value))
    return buckets


def rows_of(
    pk: str, dimension: str, found: Iterable[tuple[HailWhale1Key, Buckets]]
) -> Iterator[dict[str, object]]:
    """Yield the event fields that reproduce what a (pk, dimension) counted.

    A day's amount is counted by its hours as far as they are known. The rest is counted at noon,
    which falls on the same day in nearly every time zone. Amounts known only for all time are
    counted in 1970.

    >>> hour = read_key("Shop||_||1h||sales")
    >>> day = read_key("Shop||_||1d||sales")
    >>> start_s = 1_362_096_000  # Fri Mar 01 00:00:00 2013
    >>> for row in rows_of("Shop", "_", [(hour, {start_s + 3600: 2}), (day, {start_s: 5})]):
    ...     print(row["at"], row["metrics"])
    2013-03-01T01:00:00Z {'hits': 0, 'sales': 2}
    2013-03-01T12:00:00Z {'hits': 0, 'sales': 3}
    """
    by_metric: dict[str, dict[int, list[tuple[bool, Buckets]]]] = {}
    for key, buckets in found:
        by_interval = by_metric.setdefault(key.metric, {})
        by_interval.setdefault(key.interval_s, []).append((key.with_length, buckets))
    amounts: dict[int, dict[str, int]] = {}
    for metric, by_interval in sorted(by_metric.items()):
        merged = {interval_s: _merged(some) for interval_s, some in by_interval.items()}
        for at_s, amount in _settled(merged).items():
            amounts.setdefault(at_s, {})[metric] = amount
    labels = path_of(dimension)
    for at_s, metrics in sorted(amounts.items()):
        at = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        where: dict[str, object] = {"pk": path_of(pk) or "_", "at": at}
        if labels:
            where["dimensions"] = labels
        named = list(metrics.items())
        for start in range(0, len(named), _METRICS):
            yield {**where, "metrics": {"hits": 0, **dict(named[start : start + _METRICS])}}


def _settled(by_interval: Mapping[int, Buckets]) -> Buckets:
    """Return the amounts of one metric by instant, each counted once."""
    days, hours = by_interval.get(DAY_S, {}), by_interval.get(HOUR_S, {})
    of_hours: Buckets = {}
    for at_s, amount in hours.items():
        _add(of_hours, at_s - at_s % DAY_S, amount)
    totals = of_hours | days
    amounts = dict(hours)
    for day_s, total in totals.items():
        _add(amounts, day_s + DAY_S // 2, total - of_hours.get(day_s, 0))
    ever = sum(by_interval.get(EVER_S, {}).values())
    older = ever - sum(totals.values())
    if older * ever > 0:  # versions that came later let the total of all time stand still
        _add(amounts, 0, older)
    return {at_s: amount for at_s, amount in amounts.items() if amount}


def _merged(found: Iterable[tuple[bool, Buckets]]) -> Buckets:
    """Merge the buckets of one interval from all keys that have it.

    Keys with a retention were written several times for the same events, so the fullest one wins.
    Keys without one were written by later versions, for later events, and are added.
    """
    merged: Buckets = {}
    alike: Buckets = {}
    for with_length, buckets in found:
        for at_s, amount in buckets.items():
            if with_length:
                alike[at_s] = max(alike.get(at_s, 0), amount, key=abs)
            else:
                _add(merged, at_s, amount)
    for at_s, amount in alike.items():
        _add(merged, at_s, amount)
    return merged


@lru_cache(maxsize=65_536)
def _instant(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, _DATE).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _add(buckets: Buckets, at_s: int, amount: int) -> None:
    buckets[at_s] = buckets.get(at_s, 0) + amount
