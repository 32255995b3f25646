"""The events that benches count: seeded, so that each round and each run counts the same.

Owns what traffic looks like. It does not know how, or how fast, it is counted.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from urllib.parse import quote

from hailwhale.core.events.event import Event
from hailwhale.core.events.hit_codec import encode_hit
from hailwhale.store.types import EncodedHit

PRODUCTS = 1_000
COUNTRIES = ("US", "CA", "DE", "FR", "GB")
DEVICES = ("Mac OS X", "Windows", "iPhone")

_SEED = 20_110_117
_OVER_S = 60  # what waits in the buffer came in over this long
_ZIPF = list(accumulate(1 / rank for rank in range(1, PRODUCTS + 1)))


def skewed(count: int, now_s: int) -> Iterator[EncodedHit]:
    """The hits of `skewed_events`."""
    return map(_hit, skewed_events(count, now_s))


def skewed_events(count: int, now_s: int) -> Iterator[Event]:
    """Events on 1,000 products by Zipf's law × 5 countries × 3 devices, 3 metrics, one in cents."""
    chance = random.Random(_SEED)
    for place, product in enumerate(chance.choices(range(PRODUCTS), cum_weights=_ZIPF, k=count)):
        dimensions = (("country", chance.choice(COUNTRIES)), ("device", chance.choice(DEVICES)))
        yield _event(str(product), dimensions, chance, _at_s(place, count, now_s))


def distinct(count: int, now_s: int) -> Iterator[EncodedHit]:
    """Hits that have nothing in common but the root pk: product, visitor and order are all new."""
    chance = random.Random(_SEED)
    for place in range(count):
        dimensions = (("visitor", f"v{place}"), ("order", f"o{place}"))
        yield _hit(_event(f"p{place}", dimensions, chance, _at_s(place, count, now_s)))


def _at_s(place: int, count: int, now_s: int) -> int:
    return now_s - _OVER_S + place * _OVER_S // count


def _event(
    product: str, dimensions: tuple[tuple[str, ...], ...], chance: random.Random, at_s: int
) -> Event:
    metrics = {
        "hits": Decimal(1),
        "sales": Decimal(chance.randrange(3)),
        "revenue": Decimal(chance.randrange(1, 50_000)) / 100,
    }
    return Event(("Product", product), dimensions, metrics, at_s)


def _hit(event: Event) -> EncodedHit:
    return EncodedHit(event.pk[0], encode_hit(event))


def count_paths(count: int) -> list[str]:
    """URLs of `count` requests for /count, of the same traffic."""
    chance = random.Random(_SEED)
    return [
        "/count?"
        + "&".join(
            f"{name}={quote(json.dumps(value, separators=(',', ':')))}"
            for name, value in (
                ("pk", ["Product", str(product)]),
                (
                    "dimensions",
                    {"country": chance.choice(COUNTRIES), "device": chance.choice(DEVICES)},
                ),
                ("metrics", {"revenue": chance.randrange(1, 50_000) / 100, "sales": 1}),
            )
        )
        for product in chance.choices(range(PRODUCTS), cum_weights=_ZIPF, k=count)
    ]
