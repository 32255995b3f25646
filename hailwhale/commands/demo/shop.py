"""A fictional shop: generates the events of a time range, in the form that a service accepts.

Pure: takes a time range and a random generator. Visits, orders, sign-ups and errors follow the
hour, the day of the week and a slow growth. Countries, devices, products and campaigns behave
differently. Knows nothing of how events are sent. Makes no decision: `landing` returns the outcome
of one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from random import Random

SHOP, VISITS, SIGNUPS, ERRORS = "Demo shop", "Demo visits", "Demo sign-ups", "Demo errors"
LANDING = "Demo landing page"
OPTIONS = ("classic", "bold", "video")

ShopEvent = dict[str, object]

_DAY_S = 86_400
_COUNTRIES = {"US": 38, "DE": 17, "GB": 12, "BR": 9, "IN": 9, "JP": 7, "FR": 5, "NZ": 3}
_DEVICES: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "phone": (58, ("iOS", "Android")),
    "desktop": (36, ("Windows", "Mac OS X", "Linux")),
    "tablet": (6, ("iPadOS",)),
}
_CAMPAIGNS = {"none": 46, "newsletter": 20, "search ads": 19, "spring sale": 10, "podcast": 5}
_PAGES = {"/": 30, "/whales": 22, "/hail": 14, "/cart": 12, "/about": 6, "/blog": 16}
_PRODUCTS = {
    "Plush whale": (24.9, 30),
    "Whale mug": (12.5, 26),
    "Hail umbrella": (39.0, 17),
    "Ocean print": (59.0, 9),
    "Storm lamp": (89.0, 6),
    "Kayak tour": (149.0, 3),
}
_LANDS = {  # the share of visitors who buy, by option; the best option differs outside the US
    "classic": {"US": 0.03, "": 0.085},
    "bold": {"US": 0.11, "": 0.03},
    "video": {"US": 0.045, "": 0.045},
}
_FAULTS = {"checkout": ("timeout", "card refused"), "search": ("timeout",), "login": ("bad link",)}


def bustle(at_s: float, newest_s: float) -> float:
    """Return the activity of the shop, about 1: by hour, weekday and growth until now."""
    hour, weekday = at_s / 3_600 % 24, int(at_s // _DAY_S + 3) % 7
    of_day = 1 + 0.55 * math.sin((hour - 9) / 24 * 2 * math.pi)
    of_week = 0.78 if weekday > 4 else 1.08
    return of_day * of_week * math.exp((at_s - newest_s) / (90 * _DAY_S))


def happening(
    start_s: float, end_s: float, a_second: float, chance: Random, newest_s: float
) -> Iterator[ShopEvent]:
    """Yield the events between two instants, in order.

    There are about `a_second` visits each second now, at `newest_s`, and fewer long ago.

    >>> newest_s = 1_773_576_660
    >>> events = list(happening(newest_s - 60, newest_s, 2.0, Random(7), newest_s))
    >>> all(newest_s - 60 < float(str(event["at"])) < newest_s for event in events)
    True
    """
    at_s = start_s
    while True:
        at_s += chance.expovariate(a_second * bustle(at_s, newest_s))
        if at_s >= end_s:
            return
        yield from _visit(round(at_s, 3), chance)


def weighed(event: ShopEvent, weight: int) -> ShopEvent:
    """Return the event scaled so that it stands for `weight` equal ones.

    >>> weighed({"pk": "Shop", "metrics": {"revenue": 2.5}}, 4)
    {'pk': 'Shop', 'metrics': {'hits': 4, 'revenue': 10.0}}
    """
    metrics = event["metrics"]
    if not isinstance(metrics, dict):
        raise TypeError(f"an event without metrics: {event}")
    more = {name: round(amount * weight, 2) for name, amount in metrics.items()}
    return {**event, "metrics": {"hits": weight, **more}}


def landing(country: str, option: str, chance: Random) -> float:
    """Return what a visitor of a country spends after seeing an option: mostly nothing."""
    rates = _LANDS[option]
    if chance.random() >= rates.get(country, rates[""]):
        return 0.0
    return round(chance.uniform(15, 60), 2)


def visitor(chance: Random) -> dict[str, object]:
    """Return the dimensions of a random visitor."""
    device = _one({name: weight for name, (weight, _) in _DEVICES.items()}, chance)
    return {
        "country": _one(_COUNTRIES, chance),
        "device": {device: chance.choice(_DEVICES[device][1])},
        "campaign": _one(_CAMPAIGNS, chance),
    }


def _visit(at_s: float, chance: Random) -> Iterator[ShopEvent]:
    who = visitor(chance)
    seen = 1 + int(chance.expovariate(0.5))
    at = {"at": at_s}
    page = {**who, "page": _one(_PAGES, chance)}
    yield {"pk": VISITS, "dimensions": page, "metrics": {"pageviews": seen}, **at}
    campaign = str(who["campaign"])
    if chance.random() < {"newsletter": 0.13, "spring sale": 0.16}.get(campaign, 0.07):
        yield _order(who, at_s, chance)
    if chance.random() < 0.03:
        yield {"pk": SIGNUPS, "dimensions": who, "metrics": {"signups": 1}, **at}
    if chance.random() < 0.012:
        service = chance.choice(list(_FAULTS))
        path = {"service": {service: chance.choice(_FAULTS[service])}}
        yield {"pk": ERRORS, "dimensions": path, "metrics": {"errors": 1}, **at}


def _order(who: Mapping[str, object], at_s: float, chance: Random) -> ShopEvent:
    product = _one({name: weight for name, (_, weight) in _PRODUCTS.items()}, chance)
    items = 1 + (chance.random() < 0.18) + (chance.random() < 0.05)
    price = _PRODUCTS[product][0]
    off = 0.8 if who["campaign"] == "spring sale" else 1.0
    revenue = round(price * items * off, 2)
    metrics = {"revenue": revenue, "items": items, "cost": round(price * items * 0.55, 2)}
    return {"pk": [SHOP, product], "dimensions": dict(who), "metrics": metrics, "at": at_s}


def _one(weights: Mapping[str, float], chance: Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
