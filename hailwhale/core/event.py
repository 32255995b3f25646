r"""Events: the one parser for HTTP, library and import, and the form a hit has in the buffer.

Owns the parameters of an event and the hit codec. It takes plain values and an instant, and must
not know where they came from, which cells an event adds to, or how a buffer is kept.

A hit is three fields with tabs between them (no label holds one, and JSON would escape it)::

    1767225600 \t [["Product","123"],[["country","US"]]] \t {"hits":1,"revenue":19.99}
    at_s          head: pk and leaf paths of dimensions      metrics by name

Equal heads and equal metrics are equal bytes, so a drain can parse each of them once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from hailwhale.core.dimensions import UNPRINTABLE, Path, parse_dimensions, parse_label, parse_pk
from hailwhale.core.fields import settle_names
from hailwhale.core.instant import EARLIEST_S, LATEST_S, parse_instant
from hailwhale.core.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.metrics import decimal_text, parse_metric_name, parse_metrics, within_bounds
from hailwhale.errors import BadInput

EVENT_PARAMETERS = ("pk", "dimensions", "metrics", "at", "id")

# What is buffered was held to the limits of its day. These are the most that settings can allow:
# past them a hit is none of ours, and expanding it could hold up the drain.
_WIDEST = Limits(depth=64, paths=1000, metrics=1000, label_bytes=4096)

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_DECODER = json.JSONDecoder(parse_float=Decimal)
_HEAD_FORM = "a head [pk, [path, …]] of labels"
_METRICS_FORM = 'metrics such as {"hits":1}'


@dataclass(frozen=True, slots=True)
class Event:
    """A parsed, validated event. `dimensions` are leaf paths; an empty tuple is the overall only.

    `at_s` is in epoch seconds; `id` makes the event count once however often it is sent.
    """

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: Mapping[str, Decimal]
    at_s: int
    id: str | None = None


def parse_event(
    fields: Mapping[str, object],
    now_s: float,
    limits: Limits = DEFAULT_LIMITS,
    *,
    add_hits: bool = True,
) -> Event:
    """The event that these parameters describe; see `EVENT_PARAMETERS`.

    Values are plain already: a list or an object, not the JSON text of one. Raises `BadInput` that
    names the parameter. `limits.event_bytes` is for whoever sees the event as it arrives. Without
    `add_hits` the metrics are those given, or none.

    >>> event = parse_event({"pk": ["Product", 123], "metric": {"sales": 2}}, now_s=1_767_225_600)
    >>> event.pk, event.dimensions, event.at_s
    (('Product', '123'), (), 1767225600)
    >>> event.metrics
    {'sales': Decimal('2'), 'hits': Decimal('1')}
    """
    if not isinstance(fields, Mapping):
        raise BadInput("event", fields, f"an object with {', '.join(EVENT_PARAMETERS)}")
    found = settle_names(fields, EVENT_PARAMETERS)
    return Event(
        parse_pk(found.get("pk"), limits),
        parse_dimensions(found.get("dimensions"), limits),
        parse_metrics(found.get("metrics"), limits, add_hits=add_hits),
        parse_instant(found.get("at"), now_s),
        _parse_id(found.get("id"), limits),
    )


def encode_hit(event: Event) -> bytes:
    """An event as it is buffered. Its id is not in it: that is settled when the hit is accepted.

    >>> event = parse_event({"pk": "Shop", "metrics": {"dollars": "0.50"}}, now_s=1_767_225_600)
    >>> encode_hit(event)
    b'1767225600\\t[["Shop"],[]]\\t{"dollars":0.5,"hits":1}'
    """
    head = _COMPACT([event.pk, event.dimensions])
    amounts = [
        f"{_COMPACT(name)}:{decimal_text(amount)}" for name, amount in sorted(event.metrics.items())
    ]
    return f"{event.at_s}\t{head}\t{{{','.join(amounts)}}}".encode()


def split_hit(hit: bytes) -> tuple[int, bytes, bytes]:
    """The instant of a hit in epoch seconds, its head and its metrics, these still encoded.

    >>> split_hit(b'1767225600\\t[["Shop"],[]]\\t{"hits":1}')
    (1767225600, b'[["Shop"],[]]', b'{"hits":1}')
    """
    try:
        at, head, metrics = hit.split(b"\t")
        at_s = int(at)
    except ValueError as fault:
        raise BadInput("hit", hit, "an instant, a head and metrics, tabs between") from fault
    if not EARLIEST_S <= at_s <= LATEST_S or b"%d" % at_s != at:
        raise BadInput("hit", at, f"epoch seconds from {EARLIEST_S} to {LATEST_S}")
    return at_s, head, metrics


def decode_head(head: bytes) -> tuple[Path, tuple[Path, ...]]:
    """The pk and the leaf paths of a hit's head.

    >>> decode_head(b'[["Shop"],[["country","US"]]]')
    (('Shop',), (('country', 'US'),))
    """
    found = _plain(head, _HEAD_FORM)
    if not isinstance(found, list) or len(found) != 2 or not isinstance(found[1], list):
        raise BadInput("hit", head, _HEAD_FORM)
    paths: list[Any] = [found[0], *found[1]]
    if len(paths) > 1 + _WIDEST.paths or not all(map(_is_path, paths)):
        raise BadInput("hit", head, _HEAD_FORM)
    if any("_" in path for path in paths[1:]):
        raise BadInput("hit", head, "no path for the overall, which every event counts under")
    if UNPRINTABLE.search("".join([label for path in paths for label in path])):
        raise BadInput("hit", head, "labels without control characters or line breaks")
    return tuple(paths[0]), tuple([tuple(path) for path in paths[1:]])


def decode_metrics(metrics: bytes) -> dict[str, Decimal | int]:
    """The amounts of a hit by metric name, exact; whole ones as int, which adds up faster.

    >>> decode_metrics(b'{"dollars":19.99,"hits":1}')
    {'dollars': Decimal('19.99'), 'hits': 1}
    """
    found = _plain(metrics, _METRICS_FORM)
    # No name holds a colon: where there are more of them than names, one was there twice.
    if not isinstance(found, dict) or metrics.count(b":") != len(found) or not found:
        raise BadInput("hit", metrics, _METRICS_FORM)
    for name, amount in found.items():
        _check_name(name)
        if type(amount) not in (int, Decimal) or not within_bounds(amount):
            raise BadInput("hit", amount, "numbers below 10^30 with at most 30 decimals")
    return found


def _parse_id(value: object, limits: Limits) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput("id", value, "text or a whole number")
    return parse_label(value, limits, "id")


def _plain(encoded: bytes, form: str) -> object:
    """What JSON text stands for; nothing may stand around it, not even space."""
    try:
        text = encoded.decode()
        found, end = _DECODER.raw_decode(text)
    except (ValueError, InvalidOperation, RecursionError) as fault:
        raise BadInput("hit", encoded, form) from fault
    if end != len(text):
        raise BadInput("hit", encoded, form)
    return found


def _is_path(path: object) -> bool:
    return (
        isinstance(path, list)
        and 0 < len(path) <= _WIDEST.depth
        and all(isinstance(label, str) and label for label in path)
    )


@lru_cache(maxsize=4096)
def _check_name(name: str) -> None:
    """Raise unless a metric's name keeps all its rules; names repeat, so this is a look-up."""
    parse_metric_name(name, _WIDEST, "hit")
