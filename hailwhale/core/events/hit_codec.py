r"""Encodes events as hits, the format of the buffer, and decodes them.

Knows nothing of parameters, cells or how a buffer is stored.

A hit is three tab-separated fields (labels contain no tabs, and JSON escapes them), with a fourth
if the visitor is known::

    1767225600 \t [["Shop","12"],[["country","US"]],["hits","revenue"]] \t 1,19.99 \t q2fX0-aT_x9c
    at_s          head: pk, leaf dimension paths, metric names            amounts   visitor

Equal heads are equal bytes, so a drain parses each head once; amounts are columns of numbers. A
visitor is a keyed hash, never the uid.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from hailwhale.core.events.event import Event
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.metrics import parse_metric_name
from hailwhale.core.events.paths import UNPRINTABLE, Path
from hailwhale.core.numbers import decimal_text
from hailwhale.core.time.timestamp import EARLIEST_S, LATEST_S
from hailwhale.errors import BadInput

# Hits in the buffer were checked against the limits set at the time. These are the maxima of the
# settings: no HailWhale wrote a hit beyond them, and expanding one could block the drain.
_WIDEST = Limits(depth=64, paths=1000, metrics=1000, label_bytes=4096)

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_DECODE = json.JSONDecoder().raw_decode
_HEAD_FORM = "a head [pk, [path, …], [metric, …]] of labels and names"
_INSTANT = re.compile(rb"0|-?[1-9][0-9]{0,19}")
_VISITOR = re.compile(rb"[A-Za-z0-9_-]{12}")
_AMOUNT = re.compile(rb"-?(?:0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?")


@dataclass(frozen=True, slots=True)
class HitHead:
    """The part that hits of one series share: `dimensions` are leaf paths, `metrics` names."""

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: tuple[str, ...]


def encode_hit(event: Event, visitor: str | None = None) -> bytes:
    r"""Encode an event for the buffer, with the hash of its visitor.

    The id is not part of a hit: it is checked when the hit is accepted.

    >>> from hailwhale.core.events.event import parse_event
    >>> event = parse_event({"pk": "Shop", "metrics": {"dollars": "0.50"}}, now_s=1_767_225_600)
    >>> encode_hit(event)
    b'1767225600\t[["Shop"],[],["dollars","hits"]]\t0.5,1'
    """
    names = tuple(sorted(event.metrics))
    amounts = ",".join([decimal_text(event.metrics[name]) for name in names])
    tail = "" if visitor is None else f"\t{visitor}"
    return f"{event.at_s}\t{_head(event.pk, event.dimensions, names)}\t{amounts}{tail}".encode()


def with_visitor(hit: bytes, visitor: str) -> bytes:
    r"""Add the hash of its visitor to a hit that was encoded without it.

    >>> with_visitor(b'0\t[["Shop"],[],["hits"]]\t1', "q2fX0-aT_x9c")
    b'0\t[["Shop"],[],["hits"]]\t1\tq2fX0-aT_x9c'
    """
    return b"%s\t%s" % (hit, visitor.encode())


@lru_cache(maxsize=8_192)
def _head(pk: Path, dimensions: tuple[Path, ...], names: tuple[str, ...]) -> str:
    """Encode a head; cached, because heads repeat."""
    return _COMPACT([pk, dimensions, names])


def split_hit(hit: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    r"""Split a hit into its encoded time, head, amounts and visitor (b"" if unknown).

    >>> split_hit(b'1767225600\t[["Shop"],[],["hits"]]\t1')
    (b'1767225600', b'[["Shop"],[],["hits"]]', b'1', b'')
    """
    parts = hit.split(b"\t")
    if len(parts) == 3:
        return parts[0], parts[1], parts[2], b""
    if len(parts) != 4 or not _VISITOR.fullmatch(parts[3]):
        raise BadInput("hit", hit, "a time, a head and amounts, separated by tabs")
    return parts[0], parts[1], parts[2], parts[3]


def visitor_of(hit: bytes) -> str:
    r"""Return the visitor of a well-formed hit, "" if unknown.

    >>> visitor_of(b'0\t[["Shop"],[],["hits"]]\t1\tq2fX0-aT_x9c')
    'q2fX0-aT_x9c'
    """
    parts = hit.split(b"\t")
    return parts[3].decode() if len(parts) > 3 else ""


def decode_instant(at: bytes) -> int:
    """Decode the epoch seconds of a hit.

    >>> decode_instant(b"1767225600")
    1767225600
    """
    if not _INSTANT.fullmatch(at) or not EARLIEST_S <= int(at) <= LATEST_S:
        raise BadInput("hit", at, f"epoch seconds from {EARLIEST_S} to {LATEST_S}")
    return int(at)


def decode_head(head: bytes) -> HitHead:
    """Decode the head of a hit.

    >>> decode_head(b'[["Shop"],[["country","US"]],["hits"]]')
    HitHead(pk=('Shop',), dimensions=(('country', 'US'),), metrics=('hits',))
    """
    try:
        text = head.decode()
        found, end = _DECODE(text)
    except (ValueError, RecursionError) as fault:
        raise BadInput("hit", head, _HEAD_FORM) from fault
    lists = isinstance(found, list) and all(isinstance(part, list) for part in found)
    if end != len(text) or not lists or len(found) != 3:
        raise BadInput("hit", head, _HEAD_FORM)
    pk, dimensions, metrics = found
    paths: list[Any] = [pk, *dimensions]
    if len(paths) > 1 + _WIDEST.paths or not all(map(_is_path, paths)):
        raise BadInput("hit", head, _HEAD_FORM)
    if any("_" in path for path in dimensions):
        raise BadInput("hit", head, "no path for the overall, under which every event counts")
    if UNPRINTABLE.search("".join([label for path in paths for label in path])):
        raise BadInput("hit", head, "labels without control characters or line breaks")
    if not metrics or len(metrics) > _WIDEST.metrics:
        raise BadInput("hit", head, f"1 to {_WIDEST.metrics} metrics")
    for name in metrics:
        parse_metric_name(name, _WIDEST, "hit")
    if len(set(metrics)) < len(metrics):
        raise BadInput("hit", head, "each metric only once")
    return HitHead(tuple(pk), tuple([tuple(path) for path in dimensions]), tuple(metrics))


def decode_amount(amount: bytes) -> Decimal | int:
    """Decode one exact amount of a hit; whole numbers become int, which adds faster.

    >>> decode_amount(b"19.99"), decode_amount(b"-3")
    (Decimal('19.99'), -3)
    """
    found = _AMOUNT.fullmatch(amount)
    if found is None:
        raise BadInput("hit", amount, "amounts below 10^30 with at most 30 decimals")
    return Decimal(amount.decode()) if found[1] else int(amount)


def _is_path(path: object) -> bool:
    return (
        isinstance(path, list)
        and 0 < len(path) <= _WIDEST.depth
        and all(isinstance(label, str) and label for label in path)
    )
